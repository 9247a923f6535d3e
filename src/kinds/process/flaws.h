#pragma once

// What is wrong with the spec of a process, whatever door it came through: texts that no program
// can be given or that no terminal should be, patterns that cannot be matched, secrets of others,
// numbers out of range.

#include "model/flaws.h"

namespace docket::kinds {

inline constexpr double kSecondsMax = 9223372036;    // 292 years
inline constexpr double kPauseMaxS = 7 * 24 * 3600;  // between two attempts
inline constexpr double kAttemptsMax = 100;

// Of a definition of this kind; paths begin with "/run".
void check_process(const model::JobDefinition& definition, model::Flaws& flaws);

}  // namespace docket::kinds
