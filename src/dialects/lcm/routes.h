#pragma once

// The handlers, in groups.

#include <vector>

#include "engine/loop.h"
#include "http/door.h"

namespace docket::lcm {

std::vector<http::Route> model_routes(engine::Loop& loop);

}  // namespace docket::lcm
