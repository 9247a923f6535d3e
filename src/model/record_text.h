#pragma once

// The text of a record as its door and its kind read it.

#include <boost/json/object.hpp>

#include "model/record.h"

namespace docket::model {

// Its members; none where the text is not an object.
boost::json::object members_of(const Record& record);

}  // namespace docket::model
