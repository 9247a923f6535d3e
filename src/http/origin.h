#pragma once

// Which host a request is meant for, and which page it comes from: this keeps foreign web pages
// out. A browser on the server's machine runs such pages and lets them send requests to the server.
// But it truthfully reports the name by which it reached the server (Host) and the page that asked
// (Origin, Sec-Fetch-Site). Clients other than browsers send neither of the latter.
//
// Pure. Tested by origin_test.cc.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "http/message.h"

namespace docket::http {

// The host and port of a URL or a Host header.
struct Authority {
  std::string name;      // lower case, without a trailing dot; addresses in the system's notation
  bool address = false;  // an IPv4 or IPv6 address; IPv6 without brackets, IPv4 within IPv6 as IPv4
  std::optional<std::uint16_t> port = {};
};
// "name", "name:80", "127.0.0.1:80", "[::1]:80"; nullopt for anything else.
std::optional<Authority> parse_authority(std::string_view text);

// The names that a server answers to on every listener: localhost, addresses that always mean this
// machine, and those in its settings. Ports are ignored, because a port may have been forwarded.
class HostNames {
 public:
  // kInvalid if it cannot be the name in a Host header.
  Result<> add(const std::string& name);
  bool has(const Authority& host) const;

 private:
  std::vector<std::string> names_;
};

// Whether the request comes from a page whose origin is not `host`, the request's own Host. Another
// port is another origin.
bool is_foreign(const Request& request, std::string_view host);

}  // namespace docket::http
