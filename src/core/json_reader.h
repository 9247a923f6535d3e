#pragma once

// Reads JSON that a client or a store wrote, member by member, and collects every complaint with
// its place. A complaint does not stop the reading: the member keeps its default. Complaints come
// from a closed list; whoever answers the client words them.
//
//   JsonComplaints complaints;
//   JsonReader in(value, complaints);
//   in.require("uri");
//   in.read("uri", artifact.uri);
//   in.read("lane", lane, 0, 1000);
//   in.each("volumes", [&](JsonReader& volume) { ... });
//   in.finish();  // complains of every member that was not read
//
// A null counts as absent. A reader refers to the value, the complaints and the reader that made
// it, all of which must outlive it.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_path.h"
#include "core/string_pairs.h"

namespace docket {

enum class JsonFlaw : std::uint8_t {
  kMissing,
  kNotObject,
  kNotArray,
  kNotString,
  kNotBool,
  kNotNumber,
  kNotWhole,
  kEmpty,        // a text that must not be empty
  kUnknownWord,  // the detail lists the known ones: "ALLOW, FORBID"
  kUnknownMember,
  kOther,  // the detail says it
};
inline constexpr std::size_t kJsonFlaws = static_cast<std::size_t>(JsonFlaw::kOther) + 1;

struct JsonComplaint {
  JsonPath path;
  JsonFlaw flaw = JsonFlaw::kOther;
  std::string detail = {};  // "from 1 to 10", "of strings"; see also JsonFlaw
  bool operator==(const JsonComplaint&) const = default;
};

// Whether a member that is never read is a flaw, or is ignored.
enum class UnknownMembers { kRefused, kIgnored };

struct JsonComplaints {
  UnknownMembers unknown = UnknownMembers::kRefused;
  std::vector<JsonComplaint> list = {};
};

class JsonReader {
  // A place that costs nothing until there is a complaint about it.
  struct Place {
    const Place* above = nullptr;
    std::string_view name = {};
    std::optional<std::size_t> index = {};
  };
  static const Place kRoot;

 public:
  JsonReader(const boost::json::value& value, JsonComplaints& complaints)
      : JsonReader(value, complaints, Place{}) {}
  // For a value that is this member of what the client sent.
  JsonReader(const boost::json::value& value, JsonComplaints& complaints, std::string_view member)
      : JsonReader(value, complaints, Place{&kRoot, member}) {}
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  bool is_object() const { return object_ != nullptr; }
  const boost::json::value* find(std::string_view name);  // null: absent
  bool has(std::string_view name) { return find(name) != nullptr; }
  void require(std::string_view name);

  // Each leaves `into` as it is when the member is absent or wrong; true when it was there and
  // right.
  bool read(std::string_view name, std::string& into);
  bool read(std::string_view name, bool& into);
  bool read(std::string_view name, double& into);
  bool read(std::string_view name, std::int64_t& into);  // a fraction is cut off
  bool read(std::string_view name, std::int64_t& into, std::int64_t min, std::int64_t max);
  bool read(std::string_view name, std::vector<std::string>& into);
  bool read(std::string_view name, StringPairs& into);
  void read_all(StringPairs& into);                                      // each member is a text
  bool read_amount(std::string_view name, std::optional<double>& into);  // finite, from 0
  template <class T>
  bool read(std::string_view name, std::optional<T>& into) {
    T value{};
    if (!read(name, value)) return false;
    into = std::move(value);
    return true;
  }
  template <class T>
  bool read_required(std::string_view name, T& into) {
    require(name);
    return read(name, into);
  }
  // The index of the text among the words; 0 when the member is absent or wrong.
  std::size_t choice(std::string_view name, std::span<const char* const> words);

  // A member that is an object; an empty one where it is absent.
  JsonReader inside(std::string_view name);
  // visit(reader) for each element of an array of objects.
  template <class Visit>
  void each(std::string_view name, Visit visit) {
    const boost::json::array* items = array(name);
    const Place at{&place_, name};
    for (std::size_t i = 0; items && i < items->size(); ++i) {
      JsonReader item((*items)[i], complaints_, Place{&at, {}, i});
      visit(item);
    }
  }
  // visit(key, value, open) for each member of an object; open() reads the value as an object.
  template <class Visit>
  void each_member(std::string_view name, Visit visit) {
    const boost::json::object* members = object(name);
    if (!members) return;
    const Place at{&place_, name};
    for (const auto& member : *members) {
      const auto open = [&] {
        return JsonReader(member.value(), complaints_, Place{&at, member.key()});
      };
      visit(std::string(member.key()), member.value(), open);
    }
  }

  // The same for an array that is the whole body.
  template <class Visit>
  static void each_of(const boost::json::array& items, JsonComplaints& complaints, Visit visit) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      JsonReader item(items[i], complaints, Place{&kRoot, {}, i});
      visit(item);
    }
  }

  JsonPath path() const { return path_of(place_); }
  std::size_t complaints() const { return complaints_.list.size(); }
  // Whether there are complaints of other flaws beyond the first `since`.
  bool complaints_beside(JsonFlaw flaw, std::size_t since) const;
  void complain(std::string_view name, JsonFlaw flaw, std::string detail = {});
  void complain(std::string_view name, std::string detail) {
    complain(name, JsonFlaw::kOther, std::move(detail));
  }
  void complain_at(JsonPath path, std::string detail);  // kOther
  void complain_of_this(std::string detail);            // kOther
  void finish();  // complains of every member that was not read, if unknown ones are refused

 private:
  JsonReader(const boost::json::value& value, JsonComplaints& complaints, const Place& place);
  static JsonPath path_of(const Place& place);
  const boost::json::array* array(std::string_view name, const char* of = "");
  const boost::json::object* object(std::string_view name, const char* of = "");

  Place place_;
  JsonComplaints& complaints_;
  const boost::json::object* object_;
  std::vector<std::string_view> asked_;
};

}  // namespace docket
