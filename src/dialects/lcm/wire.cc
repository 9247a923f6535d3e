#include "dialects/lcm/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/percent.h"

namespace docket::lcm {
namespace {

std::optional<std::size_t> positive(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
  return value;
}

// The same request for another page.
std::string url_of_page(const http::Request& request, const std::string& url, std::size_t page) {
  std::string query;
  for (const auto& [name, value] : request.query) {
    if (name != "page") query += fmt::format("{}={}&", encode_segment(name), encode_segment(value));
  }
  return fmt::format("{}?{}page={}", url, query, page);
}

}  // namespace

// As in Metronome, but for the zone.
std::string instant(Time at) {
  std::string text = format_metronome(at);
  return text.replace(text.find('+'), std::string::npos, "Z");
}

http::Response json_response(std::string body, int status) {
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

http::Response error_response(Version version, const Refusal& refusal) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("code", refusal.status).member("type", refusal.type);
  json.member(version == Version::kV1 ? "msg" : "message", refusal.message);
  if (!refusal.details.empty()) {
    json.key("details").begin_array();
    for (const Complaint& each : refusal.details) {
      json.begin_object().member("field", each.field).member("message", each.message).end_object();
    }
    json.end_array();
  }
  json.end_object();
  return json_response(std::move(body), refusal.status);
}

Refusal invalid(std::vector<Complaint> details) {
  std::string message;
  for (const Complaint& each : details) {
    message += fmt::format("{}'{}' {}", message.empty() ? "" : "; ", each.field, each.message);
  }
  return {.message = std::move(message), .details = std::move(details)};
}

Refusal not_found(std::string_view family, std::string_view id) {
  return {404, "NotFound", fmt::format("{} '{}' not found", family, id)};
}

std::string Base::lcm() const {
  return origin + (version == Version::kV1 ? "/api/v1/lcm/" : "/api/v2/lcm/");
}

Base base_of(const http::Request& request, Version version) {
  const std::string_view host = request.header("host").value_or("localhost:8888");
  return {fmt::format("http://{}", host), version};
}

Wire<PageQuery> read_page(const http::Request& request) {
  PageQuery query;
  std::vector<Complaint> wrong;
  for (const auto& [name, into] : {std::pair{"page", &query.page}, {"per-page", &query.per_page}}) {
    const auto text = request.query_value(name);
    if (!text) continue;
    const auto value = positive(*text);
    if (!value) wrong.push_back({name, "must be a whole number from 1"});
    *into = value.value_or(1);
  }
  query.per_page = std::min(query.per_page, kPerPageMax);
  if (!wrong.empty()) return tl::unexpected(invalid(std::move(wrong)));
  return query;
}

std::string page(const http::Request& request, const Base& base, std::string_view path,
                 const PageQuery& query, std::size_t count,
                 const std::function<void(JsonWriter&, std::size_t)>& write) {
  const std::size_t last = std::max<std::size_t>(1, (count + query.per_page - 1) / query.per_page);
  const std::string url = base.lcm() + std::string(path);
  std::string body;
  JsonWriter json(body);
  json.begin_object();
  const auto link = [&](const char* name, bool there, std::size_t page) {
    json.key(name);
    there ? json.value(url_of_page(request, url, page)) : json.null();
  };
  link("next", query.page < last, query.page + 1);
  link("previous", query.page > 1, std::min(query.page - 1, last));
  json.member("last", last).member("count", count).member("per-page", query.per_page);
  json.member("current", query.page).key("results").begin_array();
  if (query.page <= last) {
    const std::size_t first = (query.page - 1) * query.per_page;
    for (std::size_t i = first; i < std::min(count, first + query.per_page); ++i) write(json, i);
  }
  json.end_array().end_object();
  return body;
}

}  // namespace docket::lcm
