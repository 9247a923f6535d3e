#pragma once

// Instants as people read and write them: in the zone of their machine, or in UTC with --utc. JSON
// has them as the server says.

#include <string>
#include <string_view>

#include "cli/client/environment.h"
#include "core/result.h"

namespace docket::cli {

// What the server says, as `2026-03-07 21:46:34`; in UTC `2026-03-07 20:46:34Z`. Text that is no
// instant stays as it is.
std::string shown_time(const CliEnvironment& env, const std::string& text);

// How long it was from one to the other, or is by now where the other is no instant: `59s`,
// `4m 3s`, `5h 7m`, `3d 2h`. Empty where the first is none.
std::string shown_span(const CliEnvironment& env, const std::string& from, const std::string& to);

// In the tables of `docket job`, which scripts for `dcos job` read: only a terminal gets our form.
std::string table_time(const CliEnvironment& env, const std::string& text);

// For the server, of any of: `24h` (s, m, h, d, w ago), `2026-03-07`, `2026-03-07 21:46[:34]`, and
// RFC 3339. Without a zone it is a local time; of one that comes twice the first, of one that never
// comes what the clock showed at the jump. kInvalid names the flag.
Result<std::string> read_time(const CliEnvironment& env, const std::string& flag,
                              const std::string& text);

}  // namespace docket::cli
