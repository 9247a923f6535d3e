#include "cli/client/json_access.h"

#include "core/json_writer.h"

namespace docket::cli {

namespace json = boost::json;

const json::value& member(const json::value& object, std::string_view name) {
  static const json::value kNull;
  const json::object* members = object.if_object();
  const json::value* found = members == nullptr ? nullptr : members->if_contains(name);
  return found == nullptr ? kNull : *found;
}

const json::array& array_of(const json::value& value) {
  static const json::array kEmpty;
  const json::array* items = value.if_array();
  return items == nullptr ? kEmpty : *items;
}

const json::array& array_at(const json::value& object, std::string_view name) {
  return array_of(member(object, name));
}

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  return value.is_number() || value.is_bool() ? to_json(value) : std::string();
}

std::string text_at(const json::value& object, std::string_view name) {
  return text_of(member(object, name));
}

}  // namespace docket::cli
