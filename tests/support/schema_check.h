#pragma once

// Checks values against the schemas of an OpenAPI document. Knows as much of JSON Schema as
// docket's documents use, and fails on keywords that it does not know, so that no document can
// promise what is not checked.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/json_writer.h"
#include "core/time.h"

namespace docket::testing {

class SchemaCheck {
 public:
  explicit SchemaCheck(const boost::json::value& document) : document_(document) {}

  // Complaints, each with a JSON pointer; none: the value fits the schema.
  std::vector<std::string> check(const boost::json::value& value,
                                 const boost::json::value& schema) {
    complaints_.clear();
    visit(value, schema, "");
    return complaints_;
  }

 private:
  using Json = boost::json::value;

  void visit(const Json& value, const Json& schema, const std::string& at) {
    const auto& rules = schema.as_object();
    if (const Json* target = rules.if_contains("$ref")) {
      const std::string pointer(target->as_string());
      return visit(value, document_.at_pointer(pointer.substr(1)), at);
    }
    for (const auto& [name, rule] : rules) apply(name, rule, rules, value, at);
  }

  void apply(std::string_view name, const Json& rule, const boost::json::object& rules,
             const Json& value, const std::string& at) {
    constexpr std::array kForPeople{"description", "default", "properties"};
    if (std::find(kForPeople.begin(), kForPeople.end(), name) != kForPeople.end()) return;
    if (name == "type") return check_type(value, rule, at);
    if (name == "enum") return check_enum(value, rule, at);
    if (name == "required") return check_required(value, rule, at);
    if (name == "additionalProperties") return check_members(value, rule, rules, at);
    if (name == "items") return check_items(value, rule, at);
    if (name == "oneOf") return check_one_of(value, rule, at);
    if (name == "minimum" || name == "maximum" || name == "minLength") {
      return check_bound(name, value, rule, at);
    }
    if (name == "pattern") return check_digits(value, rule, at);
    if (name == "format") return check_time(value, rule, at);
    complain(at, fmt::format("the document uses '{}', which this check does not know", name));
  }

  void complain(const std::string& at, std::string what) {
    complaints_.push_back(fmt::format("{}: {}", at.empty() ? "/" : at, what));
  }

  static bool is(const Json& value, std::string_view type) {
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "number") return value.is_number();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  void check_type(const Json& value, const Json& rule, const std::string& at) {
    if (rule.is_string() && is(value, rule.as_string())) return;
    if (const auto* types = rule.if_array()) {
      for (const Json& type : *types) {
        if (is(value, type.as_string())) return;
      }
    }
    complain(at, fmt::format("is {}, not {}", to_json(value), to_json(rule)));
  }

  void check_enum(const Json& value, const Json& rule, const std::string& at) {
    const auto& known = rule.as_array();
    if (std::find(known.begin(), known.end(), value) != known.end()) return;
    complain(at, fmt::format("is {}, none of {}", to_json(value), to_json(rule)));
  }

  void check_required(const Json& value, const Json& rule, const std::string& at) {
    if (!value.is_object()) return;
    for (const Json& name : rule.as_array()) {
      if (!value.as_object().contains(name.as_string())) {
        complain(at, fmt::format("has no {}", to_json(name)));
      }
    }
  }

  void check_members(const Json& value, const Json& others, const boost::json::object& rules,
                     const std::string& at) {
    if (!value.is_object()) return;
    const Json* named = rules.if_contains("properties");
    for (const auto& [name, member] : value.as_object()) {
      const auto inner = fmt::format("{}/{}", at, std::string_view(name));
      const Json* schema = named ? named->as_object().if_contains(name) : nullptr;
      if (schema) {
        visit(member, *schema, inner);
      } else if (others.is_object()) {
        visit(member, others, inner);
      } else if (!others.as_bool()) {
        complain(inner, "is not in the document");
      }
    }
  }

  void check_items(const Json& value, const Json& rule, const std::string& at) {
    if (!value.is_array()) return;
    std::size_t index = 0;
    for (const Json& item : value.as_array()) visit(item, rule, fmt::format("{}/{}", at, index++));
  }

  void check_one_of(const Json& value, const Json& rule, const std::string& at) {
    std::size_t fits = 0;
    for (const Json& schema : rule.as_array()) {
      SchemaCheck inner(document_);
      fits += inner.check(value, schema).empty() ? 1 : 0;
    }
    if (fits != 1) complain(at, fmt::format("fits {} of the alternatives", fits));
  }

  void check_bound(std::string_view name, const Json& value, const Json& rule,
                   const std::string& at) {
    double size = 0;
    if (value.is_number()) size = value.to_number<double>();
    if (value.is_string()) size = static_cast<double>(value.as_string().size());
    const auto bound = rule.to_number<double>();
    if (name == "maximum" ? size > bound : size < bound) {
      complain(at, fmt::format("is {}, beyond {} {}", to_json(value), name, bound));
    }
  }

  // The one pattern of the document.
  void check_digits(const Json& value, const Json& rule, const std::string& at) {
    if (rule.as_string() != "^[0-9]+$") return complain(at, "has a pattern that is not known here");
    if (!value.is_string()) return;
    const std::string_view text = value.as_string();
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
      complain(at, fmt::format("is {}, no number", to_json(value)));
    }
  }

  void check_time(const Json& value, const Json& rule, const std::string& at) {
    if (rule.as_string() != "date-time") return complain(at, "has a format that is not known here");
    if (!value.is_string()) return;
    if (!parse_time(value.as_string()) || !value.as_string().ends_with("Z")) {
      complain(at, fmt::format("is {}, no instant", to_json(value)));
    }
  }

  const Json& document_;
  std::vector<std::string> complaints_;
};

}  // namespace docket::testing
