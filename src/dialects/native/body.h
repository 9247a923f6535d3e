#pragma once

// Reads a JSON object of a client member by member and collects every complaint with its place, a
// JSON pointer such as /schedules/0/cron. Members that nobody asked for are complaints too
// (finish()). A null counts as absent.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "model/process_spec.h"

namespace docket::native {

class Body {
 public:
  Body(const boost::json::value& value, std::string path, std::vector<FieldError>& errors);

  const boost::json::value* find(std::string_view name);  // null: absent

  // Each leaves `into` as it is when the member is absent or wrong; true when it was there and
  // right.
  bool read(std::string_view name, std::string& into);
  bool read(std::string_view name, bool& into);
  bool read(std::string_view name, std::int64_t& into, std::int64_t min, std::int64_t max);
  bool read(std::string_view name, std::optional<double>& into);  // finite, from 0
  bool read(std::string_view name, model::StringPairs& into);
  bool read(std::string_view name, std::vector<std::string>& into);

  template <class Names>  // index of the text in names, or -1
  int choice(std::string_view name, const Names& names) {
    std::string text;
    if (!read(name, text)) return -1;
    std::string known;
    int index = 0;
    for (const char* candidate : names) {
      if (text == candidate) return index;
      known += (index++ > 0 ? ", " : "") + std::string(candidate);
    }
    complain(name, "must be one of " + known);
    return -1;
  }

  void require(std::string_view name);
  void complain(std::string_view name,
                std::string message);  // name may be empty: the object itself
  std::string at(std::string_view name) const;
  void finish();  // complains about every member that was not looked for

 private:
  std::string path_;
  std::vector<FieldError>& errors_;
  const boost::json::object* object_;
  std::vector<std::string_view> asked_;
};

// A path of model/codec.h, "/run/artifacts(0)/uri", as a JSON pointer: "/run/artifacts/0/uri".
std::string to_pointer(std::string_view path);

// The engine's complaints about a body, as this door tells them; other errors as they are.
Error in_this_door(Error error);

// The error of a body with these complaints: kInvalid.
Error invalid_body(std::vector<FieldError> errors);

}  // namespace docket::native
