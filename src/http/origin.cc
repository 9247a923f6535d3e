#include "http/origin.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace docket::http {
namespace {

// In the system's own notation; nullopt if it is not an address.
std::optional<std::string> address_of(const std::string& text) {
  if (text.find('\0') != text.npos) return std::nullopt;  // the calls below would stop there
  std::array<char, INET6_ADDRSTRLEN> written{};
  in6_addr bytes{};
  if (inet_pton(AF_INET, text.c_str(), &bytes) == 1) return text;
  if (inet_pton(AF_INET6, text.c_str(), &bytes) != 1) return std::nullopt;
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&bytes);
  const void* start = mapped ? &bytes.s6_addr[12] : &bytes.s6_addr[0];
  inet_ntop(mapped ? AF_INET : AF_INET6, start, written.data(), written.size());
  return written.data();
}

// Loopback, or the wildcard address, which the Scylla door gives as the name of its node.
bool is_this_machine(const Authority& host) {
  if (!host.address) return host.name == "localhost";
  return host.name.starts_with("127.") || host.name == "::1" || host.name == "0.0.0.0" ||
         host.name == "::";
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

bool is_name(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  return !text.empty() && !text.ends_with('.') &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

// Reads what follows the host: nothing, or ':' and a port, which may be empty.
bool read_port(std::string_view text, std::optional<std::uint16_t>& port) {
  if (text.empty() || text == ":") return true;
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (text.front() != ':' || error != std::errc{} || end != text.data() + text.size()) return false;
  port = number;
  return true;
}

std::optional<Authority> bracketed(std::string_view text) {
  const auto end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string inside(text.substr(1, end - 1));
  auto address = address_of(inside);
  Authority authority{.name = address.value_or(""), .address = true};
  const bool is_v6 = address && inside.find(':') != std::string::npos;
  if (!is_v6 || !read_port(text.substr(end + 1), authority.port)) return std::nullopt;
  return authority;
}

// The port of a URL that names none.
std::optional<std::uint16_t> port_of_scheme(std::string_view scheme) {
  if (scheme == "http") return 80;
  if (scheme == "https") return 443;
  return std::nullopt;
}

// True for "https://docket.example:8443" and a request to docket.example:8443. Anything else, such
// as "null", is another origin.
bool is_same_origin(std::string_view origin, const Authority& host) {
  const auto colon = origin.find("://");
  const auto usual = port_of_scheme(origin.substr(0, colon));
  if (colon == std::string_view::npos || !usual) return false;
  const auto page = parse_authority(origin.substr(colon + 3));
  return page && page->name == host.name &&
         page->port.value_or(*usual) == host.port.value_or(*usual);
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  if (text.starts_with('[')) return bracketed(text);
  const auto colon = std::min(text.find(':'), text.size());
  Authority authority{.name = lower_case(text.substr(0, colon))};
  if (authority.name.ends_with('.')) authority.name.pop_back();
  if (!is_name(authority.name) || !read_port(text.substr(colon), authority.port)) {
    return std::nullopt;
  }
  authority.address = address_of(authority.name).has_value();
  return authority;
}

Result<> HostNames::add(const std::string& name) {
  auto host = parse_authority(name);
  if (!host) host = parse_authority("[" + name + "]");
  if (!host || host->port) {
    return fail(ErrorKind::kInvalid, "neither a host name nor an address: \"" + name + "\"");
  }
  names_.push_back(std::move(host->name));
  return {};
}

bool HostNames::has(const Authority& host) const {
  if (is_this_machine(host)) return true;
  return std::ranges::find(names_, host.name) != names_.end();
}

bool is_foreign(const Request& request, std::string_view host) {
  const auto site = request.header("sec-fetch-site");
  if (site && *site != "same-origin" && *site != "none") return true;
  const auto origin = request.header("origin");
  if (!origin) return false;
  const auto own = parse_authority(host);
  return !own || !is_same_origin(*origin, *own);
}

}  // namespace docket::http
