#include "dialects/scylla/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/json_writer.h"

namespace docket::scylla {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

http::Response error_response(int status, std::string_view message) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("message", message).member("code", status).end_object();
  return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

http::Response json_response(std::string body) {
  return {.status = 200, .content_type = "application/json", .body = std::move(body)};
}

http::Response void_response() { return {.status = 200, .content_type = "application/json"}; }

http::Response task_not_found(std::string_view uuid) {
  return error_response(400, fmt::format("task with id {} not found", uuid));
}

http::Response module_not_found(std::string_view name, int status) {
  return error_response(status, fmt::format("std::runtime_error (module {} not found)", name));
}

http::Response missing_parameter(std::string_view name) {
  return error_response(400, fmt::format("Missing mandatory parameter '{}'", name));
}

Wire<std::string> parse_uuid(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != '-') digits.push_back(lower(c));
  }
  if (digits.size() != 32) {
    return tl::unexpected(error_response(
        500, fmt::format("marshal_exception (marshaling error: UUID string size mismatch: '{}')",
                         text)));
  }
  if (!std::ranges::all_of(digits, is_hex)) {
    return tl::unexpected(error_response(
        500, fmt::format("marshal_exception (marshaling error: invalid UUID: '{}')", text)));
  }
  for (const std::size_t at : {8U, 13U, 18U, 23U}) digits.insert(at, 1, '-');
  return digits;
}

Wire<std::uint32_t> parse_unsigned(std::string_view text, int status) {
  const bool negative = text.starts_with('-');
  const std::string_view digits = text.substr(negative || text.starts_with('+') ? 1 : 0);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return tl::unexpected(error_response(
        status,
        "boost::wrapexcept<boost::bad_lexical_cast> (bad lexical cast: source type value could not "
        "be interpreted as target)"));
  }
  return negative ? 0U - value : value;
}

Wire<bool> bool_parameter(const http::Request& request, std::string_view name, bool otherwise) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return otherwise;
  std::string word(*text);
  std::ranges::transform(word, word.begin(), lower);
  if (word == "true" || word == "1") return true;
  if (word == "false" || word == "0") return false;
  return tl::unexpected(
      error_response(400, fmt::format("{} ({}): type error - should be bool", name, *text)));
}

Wire<std::uint32_t> mandatory_unsigned(const http::Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text || text->empty()) return tl::unexpected(missing_parameter(name));
  return parse_unsigned(*text, 400);
}

}  // namespace docket::scylla
