#include "dialects/native/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cctype>
#include <cmath>

namespace docket::native {
namespace json = boost::json;

Body::Body(const json::value& value, std::string path, std::vector<FieldError>& errors)
    : path_(std::move(path)), errors_(errors), object_(value.if_object()) {
  if (!object_) complain("", "must be an object");
}

const json::value* Body::find(std::string_view name) {
  asked_.push_back(name);
  const json::value* value = object_ ? object_->if_contains(name) : nullptr;
  return value && !value->is_null() ? value : nullptr;
}

bool Body::read(std::string_view name, std::string& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_string()) return complain(name, "must be a string"), false;
  into = std::string_view(value->get_string());
  return true;
}

bool Body::read(std::string_view name, bool& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_bool()) return complain(name, "must be true or false"), false;
  into = value->get_bool();
  return true;
}

bool Body::read(std::string_view name, std::int64_t& into, std::int64_t min, std::int64_t max) {
  const json::value* value = find(name);
  if (!value) return false;
  json::error_code inexact;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(inexact) : 0;
  if (!value->is_number() || inexact || number < min || number > max) {
    return complain(name, fmt::format("must be a whole number from {} to {}", min, max)), false;
  }
  into = number;
  return true;
}

bool Body::read(std::string_view name, std::optional<double>& into) {
  const json::value* value = find(name);
  if (!value) return false;
  const auto number = value->is_number() ? value->to_number<double>() : -1.0;
  if (!std::isfinite(number) || number < 0) return complain(name, "must be a number from 0"), false;
  into = number;
  return true;
}

bool Body::read(std::string_view name, model::StringPairs& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_object()) return complain(name, "must be an object of strings"), false;
  for (const auto& [key, item] : value->get_object()) {
    if (item.is_string()) {
      into.emplace_back(key, std::string_view(item.get_string()));
    } else {
      complain(fmt::format("{}/{}", name, std::string_view(key)), "must be a string");
    }
  }
  return true;
}

bool Body::read(std::string_view name, std::vector<std::string>& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_array()) return complain(name, "must be an array of strings"), false;
  std::size_t index = 0;
  for (const json::value& item : value->get_array()) {
    if (item.is_string()) {
      into.emplace_back(std::string_view(item.get_string()));
    } else {
      complain(fmt::format("{}/{}", name, index), "must be a string");
    }
    ++index;
  }
  return true;
}

void Body::require(std::string_view name) {
  const bool there = find(name) != nullptr;
  if (object_ && !there) complain(name, "is required");
}

void Body::complain(std::string_view name, std::string message) {
  errors_.push_back({.path = at(name), .errors = {std::move(message)}});
}

std::string Body::at(std::string_view name) const {
  return name.empty() ? path_ : fmt::format("{}/{}", path_, name);
}

void Body::finish() {
  if (!object_) return;
  for (const auto& member : *object_) {
    const std::string_view name = member.key();
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      complain(name, "is not a known member");
    }
  }
}

// "/run/artifacts(0)/uri" as a JSON pointer: "/run/artifacts/0/uri".
std::string to_pointer(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    auto segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
    const auto open = segment.rfind('(');
    const bool indexed =
        open != std::string_view::npos && segment.back() == ')' && segment.size() > open + 2 &&
        std::all_of(segment.begin() + static_cast<std::ptrdiff_t>(open) + 1, segment.end() - 1,
                    [](unsigned char c) { return std::isdigit(c); });
    if (!indexed) {
      out += segment;
      continue;
    }
    out.append(segment.substr(0, open)).append("/");
    out += segment.substr(open + 1, segment.size() - open - 2);
  }
  return out;
}

Error in_this_door(Error error) {
  if (error.fields.empty()) return error;
  for (FieldError& field : error.fields) field.path = to_pointer(field.path);
  return invalid_body(std::move(error.fields));
}

Error invalid_body(std::vector<FieldError> errors) {
  return {
      .kind = ErrorKind::kInvalid, .message = "The body is not valid", .fields = std::move(errors)};
}

}  // namespace docket::native
