#pragma once

// Everything an engine knows that a restart must not change, as lines of text.

#include <set>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace docket::sim {

// `operations`: those that should be live.
std::vector<std::string> dump(const engine::Engine& engine, const std::set<TaskId>& operations);
// The first line that differs; empty when none does.
std::string difference(const std::vector<std::string>& left, const std::vector<std::string>& right);

}  // namespace docket::sim
