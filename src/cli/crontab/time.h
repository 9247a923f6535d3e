#pragma once

// The five fields (or the @word) of a crontab line in docket's cron dialect.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cli/crontab/crontab.h"
#include "core/result.h"

namespace docket::cli {

Result<std::vector<CrontabTime>> translate_fields(const std::array<std::string, 5>& fields);
Result<std::vector<CrontabTime>> translate_macro(std::string_view word);

}  // namespace docket::cli
