#pragma once

// Lenient reading of answers: a missing member, or one of another type, is empty, as a table shows
// it. Never throws.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace docket::cli {

// The member, or null.
const boost::json::value& member(const boost::json::value& object, std::string_view name);
const boost::json::array& array_at(const boost::json::value& object, std::string_view name);
const boost::json::array& array_of(const boost::json::value& value);
// Text as it is, numbers and booleans as JSON writes them, else "".
std::string text_of(const boost::json::value& value);
std::string text_at(const boost::json::value& object, std::string_view name);

}  // namespace docket::cli
