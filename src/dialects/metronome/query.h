#pragma once

// Query parameters (metronome.md section 1). Errors are kInvalid with the text of the 400.

#include <optional>
#include <string_view>

#include "core/result.h"
#include "dialects/metronome/render.h"
#include "http/message.h"

namespace docket::metronome {

Result<Embeds> parse_embeds(const http::Request& request);

// true, false, 1 or 0 in any letter case; absent is false.
Result<bool> parse_flag(const http::Request& request, std::string_view name);

// For the added `?all=true`: limit 1 to 1000 (100 when absent), and the run before which those of
// the page were created.
struct Paging {
  std::uint32_t limit = 100;
  std::optional<std::string> before;
};
Result<Paging> parse_paging(const http::Request& request);

}  // namespace docket::metronome
