// http/origin: whom a request was meant for, and which page asks. Nothing but this machine's names
// is taken for it, and a page is only of the same origin when its URL says the same host and port.

#include <algorithm>
#include <array>

#include "fuzz/fuzz.h"
#include "http/origin.h"

namespace docket::fuzz {
namespace {

using http::Authority;

std::string written(const Authority& authority) {
  const bool brackets = authority.name.find(':') != std::string::npos;
  const std::string name = brackets ? "[" + authority.name + "]" : authority.name;
  return authority.port ? name + ":" + std::to_string(*authority.port) : name;
}

void check_authority(const Authority& authority) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-._:";
  require(!authority.name.empty(), "a host has a name");
  require(authority.name.find_first_not_of(kLetters) == std::string::npos,
          "letters that a name can have", authority.name);
  const auto again = http::parse_authority(written(authority));
  require(again && again->name == authority.name && again->port == authority.port &&
              again->address == authority.address,
          "an authority written again is the same", written(authority));
  constexpr std::array<std::string_view, 4> kLocal = {"localhost", "::1", "::", "0.0.0.0"};
  const bool local = std::ranges::find(kLocal, authority.name) != kLocal.end() ||
                     (authority.address && authority.name.starts_with("127."));
  require(http::HostNames().has(authority) == local, "only this machine's names are local",
          authority.name);
}

http::Request request_of(const std::string& origin) {
  http::Request request;
  request.headers.emplace_back("origin", origin);
  return request;
}

// Lines: Host, Origin.
void run(std::string_view input) {
  const auto end = std::min(input.find('\n'), input.size());
  const std::string host(input.substr(0, end));
  const std::string origin(input.substr(std::min(end + 1, input.size())));
  const auto authority = http::parse_authority(host);
  if (authority) check_authority(*authority);
  const bool foreign = http::is_foreign(request_of(origin), host);
  require(!http::is_foreign(http::Request(), host), "who is no browser is not foreign");
  if (!authority) {
    require(foreign, "no page is of the origin of a host that makes no sense", origin);
    return;
  }
  require(!http::is_foreign(request_of("http://" + host), host), "its own page is not foreign");
  if (foreign) return;
  const auto at = origin.find("://");
  require(at != std::string::npos, "an origin is a URL", origin);
  const auto page = http::parse_authority(origin.substr(at + 3));
  require(page && page->name == authority->name, "the same name", origin);
  require(!page->port || !authority->port || *page->port == *authority->port, "the same port",
          origin);
}

const Target kTarget("origin", run);

}  // namespace
}  // namespace docket::fuzz
