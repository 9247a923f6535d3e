#include "dialects/native/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "model/task.h"

namespace docket::native {

std::optional<std::string> Query::text(std::string_view name) const {
  const auto value = request_.query_value(name);
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

std::vector<std::string> Query::repeated(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : request_.query) {
    if (key == name) values.push_back(value);
  }
  return values;
}

std::vector<std::string> Query::list(std::string_view name) const {
  std::vector<std::string> items;
  for (const std::string& value : repeated(name)) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const auto item = rest.substr(0, comma);
      if (!item.empty()) items.emplace_back(item);
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return items;
}

bool Query::flag(std::string_view name) {
  const auto value = request_.query_value(name);
  if (!value || *value == "false" || *value == "0") return false;
  if (!value->empty() && *value != "true" && *value != "1") complain(name, "must be true or false");
  return true;
}

std::optional<std::uint64_t> Query::number(std::string_view name, std::uint64_t max) {
  const auto value = request_.query_value(name);
  if (!value) return std::nullopt;
  const auto number = parse_number(*value, max);
  if (!number) complain(name, fmt::format("must be a whole number up to {}", max));
  return number;
}

std::optional<Time> Query::time(std::string_view name) {
  const auto value = request_.query_value(name);
  if (!value) return std::nullopt;
  const auto time = parse_time(*value);
  if (time) return *time;
  complain(name, "must be an RFC 3339 timestamp such as 2026-03-29T02:30:00Z");
  return std::nullopt;
}

std::optional<Duration> Query::duration(std::string_view name, Duration max) {
  constexpr std::array<std::pair<std::string_view, Duration>, 4> kUnits{
      {{"ms", std::chrono::milliseconds{1}},
       {"m", std::chrono::minutes{1}},
       {"s", std::chrono::seconds{1}},
       {"", std::chrono::seconds{1}}}};
  const auto value = request_.query_value(name);
  if (!value) return std::nullopt;
  const std::size_t digits = std::min(value->find_first_not_of("0123456789"), value->size());
  for (const auto& [word, unit] : kUnits) {
    if (value->substr(digits) != word) continue;
    const auto number =
        parse_number(value->substr(0, digits), static_cast<std::uint64_t>(max / unit));
    if (number) return unit * static_cast<std::int64_t>(*number);
  }
  complain(name, fmt::format("must be like 30s, 500ms or 2m, up to {}s",
                             std::chrono::duration_cast<std::chrono::seconds>(max).count()));
  return std::nullopt;
}

std::uint32_t Query::limit() {
  const auto limit = number("limit", kPageMax);
  if (limit == 0U) complain("limit", "must be at least 1");
  return static_cast<std::uint32_t>(limit.value_or(kPageDefault));
}

engine::Order Query::order(engine::Order usual) {
  const auto order = text("order");
  if (!order) return usual;
  if (order == "oldest") return engine::Order::kOldestFirst;
  if (order != "newest") complain("order", "must be newest or oldest");
  return engine::Order::kNewestFirst;
}

void Query::complain(std::string_view name, std::string message) {
  errors_.push_back({.path = fmt::format("?{}", name), .errors = {std::move(message)}});
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc() || read.ptr != end || value > max) return std::nullopt;
  return value;
}

std::optional<TaskId> parse_task_id(std::string_view text) {
  if (const auto id = model::task_of_uuid(text)) return id;
  const auto number = parse_number(text, INT64_MAX);
  if (!number || *number == 0) return std::nullopt;
  return TaskId{*number};
}

}  // namespace docket::native
