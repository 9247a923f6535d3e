// http/target and http/router: splitting, decoding and routing of what a client asks for.

#include <array>

#include "fuzz/fuzz.h"
#include "http/router.h"
#include "http/target.h"

namespace docket::fuzz {
namespace {

using http::Plus;

std::string encoded(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
  }
  return text;
}

void check_decoding(std::string_view text) {
  if (text.find('\0') == std::string_view::npos) {
    require(http::percent_decode(encoded(text), Plus::kBlank) == text, "decoding undoes encoding");
  }
  const auto literal = http::percent_decode(text, Plus::kLiteral);
  const auto blank = http::percent_decode(text, Plus::kBlank);
  require(literal.has_value() == blank.has_value(), "a plus is no mistake");
  if (!literal) return;
  require(literal->find('\0') == std::string::npos, "no NUL in what was decoded");
  require(literal->size() == blank->size() && literal->size() <= text.size(), "decoding shortens");
}

void check_query(std::string_view query) {
  const auto fields = http::parse_query(query);
  if (!fields) return;
  std::string again;
  for (const auto& [name, value] : *fields) again += encoded(name) + "=" + encoded(value) + "&";
  require(http::parse_query(again) == fields, "a query written again is the same", again);
}

void check_split(std::string_view raw) {
  const auto target = http::split_target(raw);
  if (!target) return;
  require(!target->path.empty(), "a target has a path");
  require(target->path.find('?') == std::string_view::npos, "the path ends at the first ?");
  if (!raw.starts_with('/')) return;
  std::string again(target->path);
  if (again.size() < raw.size()) again += "?" + std::string(target->query);
  require(again == raw, "a split loses nothing", again);
}

void nothing(http::Request, const http::Reply&) {}

http::Site site(bool collapse) {
  http::Door door{.name = "door", .collapse_slashes = collapse};
  for (const char* pattern : {"/", "/v1/jobs", "/v1/jobs/{job}", "/v1/jobs/{job}/runs/{run}",
                              "/v1/jobs/{job}/runs/{run}/actions/stop", "/files/{rest...}"}) {
    door.routes.push_back({.method = "GET", .pattern = pattern, .handler = nothing});
  }
  http::Site made;
  made.push_back({.prefix = "", .door = std::make_shared<const http::Door>(door)});
  made.push_back({.prefix = "/native", .door = std::make_shared<const http::Door>(door)});
  return made;
}

void check_match(const http::Router& router, std::string_view path) {
  const http::Match match = router.match("GET", path);
  require(match.door != nullptr, "a door answers for every path");
  require((match.status == 200) == (match.route != nullptr), "200 has a route");
  if (match.status != 200) return;
  std::size_t captures = 0;
  for (const char c : match.route->pattern) captures += c == '{' ? 1 : 0;
  require(match.params.size() == captures, "a value for each capture", match.path);
  for (const std::string& param : match.params) {
    require(param.find('\0') == std::string::npos, "no NUL in a capture");
    if (match.route->pattern.ends_with("...}")) {
      for (const std::string_view up : {"/../", "/./"}) {
        require(("/" + param + "/").find(up) == std::string::npos, "no dots in a rest", param);
      }
    }
  }
}

void run(std::string_view input) {
  static const std::array<http::Router, 2> kRouters{http::Router::compile(site(false)).value(),
                                                    http::Router::compile(site(true)).value()};
  check_decoding(input);
  check_query(input);
  check_split(input);
  const auto target = http::split_target(input);
  if (!target) return;
  for (const http::Router& router : kRouters) check_match(router, target->path);
}

const Target kTarget("target", run);

}  // namespace
}  // namespace docket::fuzz
