#pragma once

// Instants as people read and write them: in their machine's zone, or in UTC with --utc. JSON has
// them as the server sends them.

#include <string>
#include <string_view>

#include "cli/client/environment.h"
#include "core/result.h"

namespace docket::cli {

// The server's instant as `2026-03-07 21:46:34`; in UTC `2026-03-07 20:46:34Z`. Text that is not an
// instant is returned unchanged.
std::string shown_time(const CliEnvironment& env, const std::string& text);

// How long it was from one to the other, or until now if the other is not an instant: `59s`, `4m
// 3s`, `5h 7m`, `3d 2h`. Empty if the first is not an instant.
std::string shown_span(const CliEnvironment& env, const std::string& from, const std::string& to);

// For the tables of `docket job`, which scripts for `dcos job` read: only a terminal gets docket's
// form.
std::string table_time(const CliEnvironment& env, const std::string& text);

// Converts for the server any of: `24h` (s, m, h, d, w ago), `2026-03-07`, `2026-03-07 21:46[:34]`,
// and RFC 3339. Without a zone it is a local time: if it occurs twice, the first; if it never
// occurs, the instant of the jump. kInvalid names the flag.
Result<std::string> read_time(const CliEnvironment& env, const std::string& flag,
                              const std::string& text);

}  // namespace docket::cli
