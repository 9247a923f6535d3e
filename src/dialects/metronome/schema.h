#pragma once

// A small JSON schema interpreter over constant tables: the first stage of validation (metronome.md
// section 2), with the messages of the schema library that DC/OS Jobs uses. The same tables are
// served as JSON schemas under /public.
//
//   constexpr Schema kText{.type = JsonType::kString, .min_length = 1};
//   check(kText, value, "", complaints);
//
// The tables themselves are in job_schema.cc.

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/json_writer.h"
#include "dialects/metronome/complaints.h"

namespace docket::metronome {

enum class JsonType { kAny, kObject, kArray, kString, kNumber, kInteger, kBoolean };

struct Pattern {
  const char* text;  // shown in errors; matched by a function, since expressions on hostile text
                     // can be slow
  bool (*matches)(std::string_view);
};

struct Property;

enum class Extras { kRefused, kIgnored };

struct Schema {
  JsonType type = JsonType::kAny;
  std::span<const Property> properties = {};
  Extras extras = Extras::kRefused;  // of an object without `values`
  const Schema* values = nullptr;    // an object used as a map: what every member holds
  const Schema* items = nullptr;     // of an array
  std::optional<double> minimum = {};
  std::size_t min_length = 0;
  const Pattern* pattern = nullptr;
  std::span<const char* const> choices = {};   // the only texts allowed
  std::span<const Schema* const> one_of = {};  // instead of all else; no value fits two of them
};

enum class Presence { kOptional, kRequired };

struct Property {
  const char* name;
  const Schema* schema;
  Presence presence = Presence::kOptional;
};

// The complaint about a text that is none of the choices.
inline constexpr const char* kInvalidChoice = "Instance is invalid enum value.";

// `path` is a JSON path whose indexes are segments of their own: "/run/artifacts/0/uri"; the root
// is "".
void check(const Schema& schema, const boost::json::value& value, const std::string& path,
           Complaints& complaints);

// The table as a JSON schema (draft 4).
std::string to_json_schema(const Schema& schema, std::string_view title);

}  // namespace docket::metronome
