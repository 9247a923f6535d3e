#pragma once

// Whom a request was meant for, and which page it comes from: what keeps web pages out. A browser
// runs pages of strangers next to the server, and lets them send it requests. But it says truly
// under which name it reached the server (Host) and which page asked (Origin, Sec-Fetch-Site).
// Clients that are no browsers send neither of the latter.
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
  std::string name;  // lower case, without a dot at its end; addresses as the system writes them
  bool address = false;  // an IPv4 or IPv6 address; IPv6 without brackets, IPv4 within IPv6 as IPv4
  std::optional<std::uint16_t> port = {};
};
// "name", "name:80", "127.0.0.1:80", "[::1]:80"; nullopt for anything else.
std::optional<Authority> parse_authority(std::string_view text);

// The names that a server answers to wherever a request came in: localhost, addresses that always
// mean this machine, and those of its settings. The port does not matter: it may have been
// forwarded.
class HostNames {
 public:
  // kInvalid for what cannot be the name in a Host header.
  Result<> add(const std::string& name);
  bool has(const Authority& host) const;

 private:
  std::vector<std::string> names_;
};

// Whether a page of another origin than `host`, the request's own Host, sent this. Another port is
// another origin.
bool is_foreign(const Request& request, std::string_view host);

}  // namespace docket::http
