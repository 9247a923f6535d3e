#pragma once

// Typed query parameters. Unknown ones are ignored; wrong values are collected, so that one answer
// (400) names all of them.
//
//   Query query(request);
//   const auto limit = query.limit();
//   const auto state = query.text("state");
//   if (!query.ok()) return reply(bad_query(query.errors()));

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "engine/store.h"
#include "http/message.h"

namespace docket::native {

inline constexpr std::uint32_t kPageDefault = 100;
// Below the store's own limit, which leaves room for a row of lookahead.
inline constexpr std::uint32_t kPageMax = 500;

class Query {
 public:
  explicit Query(const http::Request& request) : request_(request) {}

  std::optional<std::string> text(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;  // repeated and comma-separated alike
  std::vector<std::string> repeated(std::string_view name) const;
  bool flag(std::string_view name);  // true, false, 1, 0; alone (?follow) is true
  std::optional<std::uint64_t> number(std::string_view name, std::uint64_t max);
  std::optional<Time> time(std::string_view name);
  std::optional<Duration> duration(std::string_view name, Duration max);  // "30s", "500ms", "2m"
  std::uint32_t limit();                                                  // 1 to kPageMax
  engine::Order order(engine::Order usual);  // newest or oldest (first)

  template <class Id>
  std::optional<Id> id(std::string_view name) {
    const auto value = number(name, kNoLimit);
    return value ? std::optional<Id>(Id{*value}) : std::nullopt;
  }

  void complain(std::string_view name, std::string message);
  bool ok() const { return errors_.empty(); }
  const std::vector<FieldError>& errors() const { return errors_; }

 private:
  static constexpr std::uint64_t kNoLimit = INT64_MAX;  // what every store can hold
  const http::Request& request_;
  std::vector<FieldError> errors_;
};

// Decimal digits only, up to max.
std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max);

// The id of a task as clients write it: its number or its UUID.
std::optional<TaskId> parse_task_id(std::string_view text);

}  // namespace docket::native
