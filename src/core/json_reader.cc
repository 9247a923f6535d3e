#include "core/json_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace docket {
namespace {

namespace json = boost::json;

// Whole numbers up to here are doubles.
constexpr double kWholeMax = 9e15;

}  // namespace

const JsonReader::Place JsonReader::kRoot;

JsonReader::JsonReader(const json::value& value, JsonComplaints& complaints, const Place& place)
    : place_(place), complaints_(complaints), object_(value.if_object()) {
  if (!object_) complaints_.list.push_back({path(), JsonFlaw::kNotObject});
}

JsonPath JsonReader::path_of(const Place& place) {
  JsonPath path = place.above ? path_of(*place.above) : JsonPath();
  if (place.index) return path / *place.index;
  return place.above ? path / place.name : path;
}

void JsonReader::complain(std::string_view name, JsonFlaw flaw, std::string detail) {
  complaints_.list.push_back({path() / name, flaw, std::move(detail)});
}

void JsonReader::complain_at(JsonPath path, std::string detail) {
  complaints_.list.push_back({std::move(path), JsonFlaw::kOther, std::move(detail)});
}

void JsonReader::complain_of_this(std::string detail) { complain_at(path(), std::move(detail)); }

bool JsonReader::complaints_beside(JsonFlaw flaw, std::size_t since) const {
  return std::any_of(complaints_.list.begin() + static_cast<std::ptrdiff_t>(since),
                     complaints_.list.end(),
                     [flaw](const JsonComplaint& each) { return each.flaw != flaw; });
}

const json::value* JsonReader::find(std::string_view name) {
  if (complaints_.unknown == UnknownMembers::kRefused) asked_.push_back(name);
  const json::value* value = object_ ? object_->if_contains(name) : nullptr;
  return value && !value->is_null() ? value : nullptr;
}

void JsonReader::require(std::string_view name) {
  if (!has(name) && object_) complain(name, JsonFlaw::kMissing);
}

bool JsonReader::read(std::string_view name, std::string& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_string()) return complain(name, JsonFlaw::kNotString), false;
  into = std::string_view(value->get_string());
  return true;
}

bool JsonReader::read(std::string_view name, bool& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_bool()) return complain(name, JsonFlaw::kNotBool), false;
  into = value->get_bool();
  return true;
}

bool JsonReader::read(std::string_view name, double& into) {
  const json::value* value = find(name);
  if (!value) return false;
  if (!value->is_number()) return complain(name, JsonFlaw::kNotNumber), false;
  into = value->to_number<double>();
  return true;
}

bool JsonReader::read(std::string_view name, std::int64_t& into) {
  double number = 0;
  if (!read(name, number)) return false;
  if (std::fabs(number) > kWholeMax) return complain(name, JsonFlaw::kNotWhole), false;
  into = static_cast<std::int64_t>(number);
  return true;
}

bool JsonReader::read(std::string_view name, std::int64_t& into, std::int64_t min,
                      std::int64_t max) {
  const json::value* value = find(name);
  if (!value) return false;
  json::error_code inexact;
  const auto number = value->is_number() ? value->to_number<std::int64_t>(inexact) : 0;
  if (!value->is_number() || inexact || number < min || number > max) {
    return complain(name, JsonFlaw::kNotWhole, fmt::format("from {} to {}", min, max)), false;
  }
  into = number;
  return true;
}

bool JsonReader::read_amount(std::string_view name, std::optional<double>& into) {
  const json::value* value = find(name);
  if (!value) return false;
  const auto number = value->is_number() ? value->to_number<double>() : -1.0;
  if (!std::isfinite(number) || number < 0) {
    return complain(name, JsonFlaw::kNotNumber, "from 0"), false;
  }
  into = number;
  return true;
}

bool JsonReader::read(std::string_view name, std::vector<std::string>& into) {
  const json::array* items = array(name, "of strings");
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    if (const json::string* text = (*items)[i].if_string()) {
      into.emplace_back(std::string_view(*text));
    } else {
      complaints_.list.push_back({path() / name / i, JsonFlaw::kNotString});
    }
  }
  return items != nullptr;
}

bool JsonReader::read(std::string_view name, StringPairs& into) {
  if (!object(name, "of strings")) return false;
  inside(name).read_all(into);
  return true;
}

void JsonReader::read_all(StringPairs& into) {
  if (!object_) return;
  for (const auto& [key, value] : *object_) {
    if (const json::string* text = value.if_string()) {
      into.emplace_back(std::string_view(key), std::string_view(*text));
    } else {
      complain(key, JsonFlaw::kNotString);
    }
  }
}

std::size_t JsonReader::choice(std::string_view name, std::span<const char* const> words) {
  std::string text;
  if (!read(name, text)) return 0;
  const auto found = std::ranges::find(words, text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  complain(name, JsonFlaw::kUnknownWord, fmt::format("{}", fmt::join(words, ", ")));
  return 0;
}

JsonReader JsonReader::inside(std::string_view name) {
  static const json::value kEmpty = json::object();
  const json::value* value = find(name);
  return {value ? *value : kEmpty, complaints_, Place{&place_, name}};
}

const json::array* JsonReader::array(std::string_view name, const char* of) {
  const json::value* value = find(name);
  if (value && !value->is_array()) complain(name, JsonFlaw::kNotArray, of);
  return value ? value->if_array() : nullptr;
}

const json::object* JsonReader::object(std::string_view name, const char* of) {
  const json::value* value = find(name);
  if (value && !value->is_object()) complain(name, JsonFlaw::kNotObject, of);
  return value ? value->if_object() : nullptr;
}

void JsonReader::finish() {
  if (!object_ || complaints_.unknown == UnknownMembers::kIgnored) return;
  for (const auto& member : *object_) {
    const std::string_view name = member.key();
    if (std::ranges::find(asked_, name) == asked_.end()) complain(name, JsonFlaw::kUnknownMember);
  }
}

}  // namespace docket
