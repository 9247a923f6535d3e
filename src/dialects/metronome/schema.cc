#include "dialects/metronome/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <vector>

#include "core/json_writer.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

const char* name_of(JsonType type) {
  switch (type) {
    case JsonType::kObject:
      return "object";
    case JsonType::kArray:
      return "array";
    case JsonType::kString:
      return "string";
    case JsonType::kNumber:
      return "number";
    case JsonType::kInteger:
      return "integer";
    case JsonType::kBoolean:
      return "boolean";
    case JsonType::kAny:
      break;
  }
  return "any";
}

const char* type_name_of(const json::value& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_bool()) return "boolean";
  return value.is_null() ? "null" : "number";
}

bool is_whole(const json::value& value) {
  if (!value.is_double()) return true;
  const double number = value.get_double();
  return number == std::floor(number);
}

bool has_type(const json::value& value, JsonType type) {
  switch (type) {
    case JsonType::kObject:
      return value.is_object();
    case JsonType::kArray:
      return value.is_array();
    case JsonType::kString:
      return value.is_string();
    case JsonType::kNumber:
      return value.is_number();
    case JsonType::kInteger:
      return value.is_number() && is_whole(value);
    case JsonType::kBoolean:
      return value.is_bool();
    case JsonType::kAny:
      break;
  }
  return true;
}

const Property* find(const Schema& schema, std::string_view name) {
  const auto property = std::ranges::find(schema.properties, name, &Property::name);
  return property == schema.properties.end() ? nullptr : &*property;
}

// 'a', 'b' and 'c'
std::string quoted_list(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += fmt::format("'{}'", names[i]);
  }
  return text;
}

void check_extras(const Schema& schema, const json::object& object, const std::string& path,
                  Complaints& complaints) {
  if (schema.values || schema.extras == Extras::kIgnored) return;
  std::vector<std::string_view> extras;
  for (const auto& member : object) {
    if (!find(schema, member.key())) extras.push_back(member.key());
  }
  if (extras.empty()) return;
  complaints.add(path,
                 fmt::format("Additional properties are not allowed, but found properties {}.",
                             quoted_list(extras)));
}

void check_object(const Schema& schema, const json::object& object, const std::string& path,
                  Complaints& complaints) {
  for (const Property& property : schema.properties) {
    if (property.presence == Presence::kRequired && !object.contains(property.name)) {
      complaints.add(path, fmt::format("Property {} missing.", property.name));
    }
  }
  check_extras(schema, object, path, complaints);
  for (const auto& member : object) {
    const Property* property = find(schema, member.key());
    const Schema* inner = property ? property->schema : schema.values;
    if (!inner) continue;
    check(*inner, member.value(), fmt::format("{}/{}", path, std::string_view(member.key())),
          complaints);
  }
}

void check_array(const Schema& schema, const json::array& array, const std::string& path,
                 Complaints& complaints) {
  if (!schema.items) return;
  for (std::size_t i = 0; i < array.size(); ++i) {
    check(*schema.items, array[i], fmt::format("{}/{}", path, i), complaints);
  }
}

void check_text(const Schema& schema, std::string_view text, const std::string& path,
                Complaints& complaints) {
  if (text.size() < schema.min_length) {
    complaints.add(
        path, fmt::format("'{}' does not match minimum length of {}.", text, schema.min_length));
  }
  if (schema.pattern && !schema.pattern->matches(text)) {
    complaints.add(path,
                   fmt::format("'{}' does not match pattern '{}'.", text, schema.pattern->text));
  }
  if (!schema.choices.empty() && std::ranges::find(schema.choices, text) == schema.choices.end()) {
    complaints.add(path, kInvalidChoice);
  }
}

std::string plain(double number) {
  std::string text;
  append_json_number(text, number);
  return text;
}

void check_number(const Schema& schema, double number, const std::string& path,
                  Complaints& complaints) {
  if (!schema.minimum || number >= *schema.minimum) return;
  complaints.add(path, fmt::format("{} is smaller than required minimum value of {}.",
                                   plain(number), plain(*schema.minimum)));
}

void check_alternatives(const Schema& schema, const json::value& value, const std::string& path,
                        Complaints& complaints) {
  for (const Schema* alternative : schema.one_of) {
    Complaints unfit;
    check(*alternative, value, path, unfit);
    if (unfit.empty()) return;
  }
  complaints.add(path, "Instance does not match any schema.");
}

bool check_type(const Schema& schema, const json::value& value, const std::string& path,
                Complaints& complaints) {
  if (has_type(value, schema.type)) return true;
  complaints.add(path, fmt::format("Wrong type. Expected {}, was {}.", name_of(schema.type),
                                   type_name_of(value)));
  return false;
}

void write_schema(JsonWriter& out, const Schema& schema);

void write_object_schema(JsonWriter& out, const Schema& schema) {
  if (!schema.properties.empty()) {
    out.key("properties").begin_object();
    for (const Property& property : schema.properties) {
      write_schema(out.key(property.name), *property.schema);
    }
    out.end_object();
  }
  const auto required = [](const Property& p) { return p.presence == Presence::kRequired; };
  if (std::ranges::any_of(schema.properties, required)) {
    out.key("required").begin_array();
    for (const Property& property : schema.properties) {
      if (required(property)) out.value(property.name);
    }
    out.end_array();
  }
  out.key("additionalProperties");
  if (schema.values) return write_schema(out, *schema.values);
  out.value(schema.extras == Extras::kIgnored);
}

void write_members(JsonWriter& out, const Schema& schema) {
  if (schema.type != JsonType::kAny) out.member("type", name_of(schema.type));
  if (!schema.one_of.empty()) {
    out.key("oneOf").begin_array();
    for (const Schema* alternative : schema.one_of) write_schema(out, *alternative);
    out.end_array();
  }
  if (schema.type == JsonType::kObject) write_object_schema(out, schema);
  if (schema.items) write_schema(out.key("items"), *schema.items);
  if (schema.minimum) out.member("minimum", *schema.minimum);
  if (schema.min_length > 0) out.member("minLength", schema.min_length);
  if (schema.pattern) out.member("pattern", schema.pattern->text);
  if (schema.choices.empty()) return;
  out.key("enum").begin_array();
  for (const char* choice : schema.choices) out.value(choice);
  out.end_array();
}

void write_schema(JsonWriter& out, const Schema& schema) {
  out.begin_object();
  write_members(out, schema);
  out.end_object();
}

}  // namespace

void check(const Schema& schema, const json::value& value, const std::string& path,
           Complaints& complaints) {
  if (!schema.one_of.empty()) return check_alternatives(schema, value, path, complaints);
  if (!check_type(schema, value, path, complaints)) return;
  if (const auto* object = value.if_object()) check_object(schema, *object, path, complaints);
  if (const auto* array = value.if_array()) check_array(schema, *array, path, complaints);
  if (const auto* text = value.if_string()) check_text(schema, *text, path, complaints);
  if (value.is_number()) check_number(schema, value.to_number<double>(), path, complaints);
}

std::string to_json_schema(const Schema& schema, std::string_view title) {
  std::string text;
  JsonWriter out(text);
  out.begin_object();
  out.member("$schema", "http://json-schema.org/draft-04/schema#").member("title", title);
  write_members(out, schema);
  out.end_object();
  return text;
}

}  // namespace docket::metronome
