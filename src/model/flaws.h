#pragma once

// What is wrong with what a client defines, whatever door it came through: texts that no program
// can be given or that no terminal should be, patterns that cannot be matched, secrets of others,
// numbers out of range. The engine asks; a store of an older docket may hold such things.
//
// Paths are those of model/codec.h: "/run/artifacts(0)/uri".

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/job.h"
#include "model/task.h"

namespace docket::model {

// What Linux takes as one argument, or as one variable with its name: MAX_ARG_STRLEN, less its NUL.
inline constexpr std::size_t kExecTextMax = 128 * 1024 - 1;

// At most so many are told of.
inline constexpr std::size_t kFlawsMax = 100;

inline constexpr double kSecondsMax = 9223372036;    // 292 years
inline constexpr double kPauseMaxS = 7 * 24 * 3600;  // between two attempts
inline constexpr double kAttemptsMax = 100;          // the engine remembers as many

std::vector<FieldError> flaws_of(const JobDefinition& definition);
std::vector<FieldError> flaws_of(const RunParameters& parameters);  // "/env/NAME"

// Of an environment variable: "must ...", or null.
const char* flaw_of_variable(std::string_view name, std::string_view value);

}  // namespace docket::model
