#pragma once

// What is wrong with the spec of a process, whichever door it came through: texts that no program
// can take or no terminal should show, patterns that cannot be matched, secrets of other groups,
// numbers out of range.

#include "model/flaws.h"

namespace docket::kinds {

inline constexpr double kSecondsMax = 9223372036;    // 292 years
inline constexpr double kPauseMaxS = 7 * 24 * 3600;  // between two attempts
inline constexpr double kAttemptsMax = 100;

// Checks a definition of this kind; paths begin with "/run".
void check_process(const model::JobDefinition& definition, model::Flaws& flaws);

}  // namespace docket::kinds
