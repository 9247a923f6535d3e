#pragma once

// The page shown to a person who opens the hub in a browser: it names the doors.

#include <memory>

#include "http/door.h"

namespace docket::app {

// One route, "/", for everyone.
std::shared_ptr<const http::Door> make_front_page();

}  // namespace docket::app
