#pragma once

// Text of a cron expression -> masks and normal form. Private to the cron files; others use
// Cron::parse.

#include <string>
#include <string_view>

#include "core/cron_fields.h"
#include "core/result.h"

namespace docket {

// Longer expressions are refused unread. A list of all 60 minutes, spelt out, has 169 characters.
inline constexpr std::size_t kMaxCronLength = 512;

struct ParsedCron {
  CronFields fields;
  std::string text;  // normal form
};

// kInvalid, with the field and why, when the expression is malformed or names days that no calendar
// has.
Result<ParsedCron> parse_cron(std::string_view text);

}  // namespace docket
