#pragma once

// Everything an engine knows that a restart must not change, as lines of text.

#include <string>
#include <vector>

#include "engine/engine.h"

namespace docket::sim {

std::vector<std::string> dump(const engine::Engine& engine);
// The first line that differs; empty when none does.
std::string difference(const std::vector<std::string>& left, const std::vector<std::string>& right);

}  // namespace docket::sim
