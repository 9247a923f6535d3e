#include "http/target.h"

namespace docket::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte of the escape whose '%' is at text[at]; -1 for an invalid escape, and for NUL.
int escaped_byte(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size()) return -1;
  const int high = hex_value(text[at + 1]);
  const int low = hex_value(text[at + 2]);
  if (high < 0 || low < 0) return -1;
  const int byte = high * 16 + low;
  return byte == 0 ? -1 : byte;
}

std::string_view after_authority(std::string_view raw) {
  const auto scheme_end = raw.find("://");
  if (scheme_end == std::string_view::npos) return {};
  const auto path = raw.find_first_of("/?", scheme_end + 3);
  return path == std::string_view::npos ? std::string_view("/") : raw.substr(path);
}

}  // namespace

std::optional<Target> split_target(std::string_view raw) {
  if (!raw.starts_with('/')) raw = after_authority(raw);
  const auto mark = raw.find('?');
  Target target{.path = raw.substr(0, mark), .query = {}};
  if (mark != std::string_view::npos) target.query = raw.substr(mark + 1);
  if (target.path.empty() && mark == 0) target.path = "/";  // http://host?query
  if (target.path.empty()) return std::nullopt;
  return target;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\0') return std::nullopt;
    if (c == '%') {
      const int byte = escaped_byte(text, i);
      if (byte < 0) return std::nullopt;
      c = static_cast<char>(byte);
      i += 2;
    } else if (c == '+' && plus == Plus::kBlank) {
      c = ' ';
    }
    out.push_back(c);
  }
  return out;
}

std::optional<Fields> parse_query(std::string_view query) {
  Fields fields;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto piece = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    if (piece.empty()) continue;
    const auto equals = piece.find('=');
    auto name = percent_decode(piece.substr(0, equals), Plus::kBlank);
    auto value = equals == std::string_view::npos
                     ? std::optional<std::string>(std::string())
                     : percent_decode(piece.substr(equals + 1), Plus::kBlank);
    if (!name || !value) return std::nullopt;
    fields.emplace_back(*std::move(name), *std::move(value));
  }
  return fields;
}

}  // namespace docket::http
