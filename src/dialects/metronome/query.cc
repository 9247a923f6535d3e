#include "dialects/metronome/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace docket::metronome {
namespace {

constexpr const char* kUnknownEmbed =
    "Unknown embed options. Valid options are: activeRuns, schedules, history, historySummary";

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  });
  return lower;
}

bool add_embed(std::string_view name, Embeds& embeds) {
  if (name == "activeRuns") {
    embeds.active_runs = true;
  } else if (name == "history") {
    embeds.history = true;
  } else if (name == "historySummary") {
    embeds.history_summary = true;
  } else {
    // Schedules are always present; older servers had them only on request.
    return name == "schedules" || name.empty();
  }
  return true;
}

bool add_embeds(std::string_view list, Embeds& embeds) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (!add_embed(list.substr(0, comma), embeds)) return false;
    if (comma == std::string_view::npos) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<Embeds> parse_embeds(const http::Request& request) {
  Embeds embeds;
  for (const auto& [name, value] : request.query) {
    if (name == "embed" && !add_embeds(value, embeds)) {
      return fail(ErrorKind::kInvalid, kUnknownEmbed);
    }
  }
  return embeds;
}

Result<bool> parse_flag(const http::Request& request, std::string_view name) {
  const auto value = request.query_value(name);
  if (!value) return false;
  const std::string flag = lower_case(*value);
  if (flag == "true" || flag == "1") return true;
  if (flag == "false" || flag == "0") return false;
  return fail(
      ErrorKind::kInvalid,
      fmt::format("Cannot parse parameter {} as Boolean: should be true, false, 0 or 1", name));
}

Result<Paging> parse_paging(const http::Request& request) {
  Paging paging;
  if (const auto limit = request.query_value("limit")) {
    const char* end = limit->data() + limit->size();
    const auto [stop, error] = std::from_chars(limit->data(), end, paging.limit);
    if (error != std::errc{} || stop != end || paging.limit < 1 ||
        paging.limit > engine::kMaxPage) {
      return fail(ErrorKind::kInvalid, "Cannot parse parameter limit as Int: should be 1 to 1000");
    }
  }
  if (const auto before = request.query_value("before")) paging.before = std::string(*before);
  return paging;
}

}  // namespace docket::metronome
