#include "http/router.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "http/target.h"

namespace docket::http {
namespace {

constexpr std::size_t kMaxCaptures = 16;

// Removes the next segment from the front of path; nullopt at its end. With collapsing, several
// slashes count as one and a trailing one as none; without, "/a/" has an empty second segment.
std::optional<std::string_view> take_segment(std::string_view& path, bool collapse) {
  if (path.empty()) return std::nullopt;
  const auto start = collapse ? std::min(path.find_first_not_of('/'), path.size()) : std::size_t{1};
  path.remove_prefix(start);
  if (collapse && path.empty()) return std::nullopt;
  const auto segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

// "/" means the mount itself, with collapsing or without.
std::string_view without_lone_slash(std::string_view path) { return path == "/" ? "" : path; }

bool is_capture(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool is_rest(std::string_view segment) { return is_capture(segment) && segment.ends_with("...}"); }

// A file served from {rest...} must not leave its directory, even if the handler forgets to check.
bool has_dot_segment(std::string_view path) {
  while (const auto segment = take_segment(path, true)) {
    if (*segment == "." || *segment == "..") return true;
  }
  return false;
}

std::string collapsed(std::string_view path) {
  if (path.size() > 1 && path.back() != '/' && path.find("//") == std::string_view::npos) {
    return std::string(path);
  }
  std::string out;
  out.reserve(path.size() + 1);
  while (const auto segment = take_segment(path, true)) out.append("/").append(*segment);
  return out.empty() ? "/" : out;
}

// Only for paths whose escapes match() has found valid.
std::string decoded(std::string_view text) {
  return percent_decode(text, Plus::kLiteral).value_or(std::string());
}

void add_allowed(std::string& allow, std::string_view method) {
  for (std::string_view seen = allow; !seen.empty();) {
    const auto end = seen.find(", ");
    if (seen.substr(0, end) == method) return;
    seen = end == std::string_view::npos ? std::string_view() : seen.substr(end + 2);
  }
  if (!allow.empty()) allow += ", ";
  allow += method;
}

}  // namespace

struct Router::Node {
  std::map<std::string, Node, std::less<>> literals;
  std::unique_ptr<Node> capture;
  std::vector<const Route*> here;  // routes that end at this node
  std::vector<const Route*> rest;  // routes that match everything below
};

struct Router::Mounted {
  std::string prefix;
  std::shared_ptr<const Door> door;  // shared with the site's other listeners
  Gate gate;
  Node root;

  // The path below the prefix, or nullopt when the prefix does not match.
  std::optional<std::string_view> below(std::string_view path) const {
    std::string_view wanted = prefix;
    while (const auto segment = take_segment(wanted, true)) {
      if (take_segment(path, door->collapse_slashes) != segment) return std::nullopt;
    }
    return path;
  }

  Result<> add(const Route& route);
};

Result<> Router::Mounted::add(const Route& route) {
  const auto refuse = [&](const char* why) {
    return fail(ErrorKind::kInvalid, "route " + route.method + " " + route.pattern + ": " + why);
  };
  if (!route.pattern.starts_with('/')) return refuse("must start with '/'");
  if (!route.handler) return refuse("has no handler");
  Node* node = &root;
  std::size_t captures = 0;
  auto* routes = &node->here;
  std::string_view pattern = without_lone_slash(route.pattern);
  while (const auto segment = take_segment(pattern, door->collapse_slashes)) {
    if (routes == &node->rest) return refuse("{rest...} must come last");
    if (is_capture(*segment) && ++captures > kMaxCaptures) return refuse("has too many captures");
    if (is_rest(*segment)) {
      routes = &node->rest;
      continue;
    }
    if (!is_capture(*segment)) {
      node = &node->literals[std::string(*segment)];
    } else {
      if (!node->capture) node->capture = std::make_unique<Node>();
      node = node->capture.get();
    }
    routes = &node->here;
  }
  for (const Route* other : *routes) {
    if (other->method == route.method) return refuse("is defined twice");
  }
  routes->push_back(&route);
  return {};
}

// One walk over one mount's tree. Depth is bounded by the longest pattern, not by the request.
struct Router::Search {
  std::string_view method;  // HEAD is looked up as GET
  bool collapse;
  const Route* found = nullptr;
  std::string allow = {};  // methods of the matches for the path that lacked this method
  std::array<std::string_view, kMaxCaptures> captures{};
  std::size_t capture_count = 0;

  bool descend(const Node& node, std::string_view path) {
    std::string_view below = path;
    const auto segment = take_segment(below, collapse);
    if (!segment) return settle(node.here) || take_rest(node, {});
    if (const Node* next = literal(node, *segment); next && descend(*next, below)) return true;
    if (node.capture && !segment->empty() && capture_count < kMaxCaptures) {
      captures[capture_count++] = *segment;
      if (descend(*node.capture, below)) return true;
      --capture_count;
    }
    return take_rest(node, path);
  }

  const Node* literal(const Node& node, std::string_view segment) {
    const bool plain = segment.find('%') == std::string_view::npos;
    const auto next = plain ? node.literals.find(segment) : node.literals.find(decoded(segment));
    return next == node.literals.end() ? nullptr : &next->second;
  }

  bool take_rest(const Node& node, std::string_view path) {
    if (node.rest.empty() || capture_count == kMaxCaptures) return false;
    if (has_dot_segment(decoded(path))) return false;
    const auto start = std::min(path.find_first_not_of('/'), path.size());
    captures[capture_count++] = path.substr(start);
    if (settle(node.rest)) return true;
    --capture_count;
    return false;
  }

  bool settle(std::span<const Route* const> routes) {
    for (const Route* route : routes) {
      if (route->method != method) continue;
      found = route;
      return true;
    }
    for (const Route* route : routes) {
      add_allowed(allow, route->method);
      if (route->method == "GET") add_allowed(allow, "HEAD");
    }
    return false;
  }

  std::vector<std::string> params() const {
    std::vector<std::string> params;
    params.reserve(capture_count);
    for (const auto capture : std::span(captures).first(capture_count)) {
      params.push_back(decoded(capture));
    }
    return params;
  }
};

Router::Router() : plain_(std::make_shared<const Door>()) {}
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

Result<Router> Router::compile(Site site) {
  Router router;
  for (Mount& mount : site) {
    if (!mount.door) return fail(ErrorKind::kInvalid, "mount " + mount.prefix + " has no door");
    if (!mount.prefix.empty() && !mount.prefix.starts_with('/')) {
      return fail(ErrorKind::kInvalid, "mount " + mount.prefix + " must start with '/'");
    }
    Mounted mounted{.prefix = std::move(mount.prefix),
                    .door = std::move(mount.door),
                    .gate = std::move(mount.gate),
                    .root = {}};
    for (const Route& route : mounted.door->routes) {
      if (auto added = mounted.add(route); !added) return fail(std::move(added.error()));
    }
    const auto place =
        std::ranges::upper_bound(router.mounts_, mounted.prefix.size(), std::greater<>(),
                                 [](const Mounted& other) { return other.prefix.size(); });
    router.mounts_.insert(place, std::move(mounted));
  }
  return router;
}

Match Router::match(std::string_view method, std::string_view path) const {
  Match result;
  result.head = method == "HEAD";
  const bool sound = percent_decode(path, Plus::kLiteral).has_value();
  if (!sound) result.status = 400;
  const Mounted* knows_prefix = nullptr;
  for (const Mounted& mount : mounts_) {
    const auto below = mount.below(path);
    if (!below) continue;
    if (!knows_prefix) knows_prefix = &mount;
    if (!sound) break;
    const bool collapse = mount.door->collapse_slashes;
    Search search{.method = result.head ? "GET" : method, .collapse = collapse};
    if (search.descend(mount.root, without_lone_slash(*below))) {
      result.status = 200;
      result.door = mount.door.get();
      result.gate = &mount.gate;
      result.route = search.found;
      result.path = collapse ? collapsed(*below) : std::string(below->empty() ? "/" : *below);
      result.params = search.params();
      result.allow.clear();
      return result;
    }
    if (result.door || search.allow.empty()) continue;
    result.door = mount.door.get();
    result.gate = &mount.gate;
    result.status = mount.door->wrong_method_is_404 ? 404 : 405;
    result.allow = std::move(search.allow);
  }
  if (result.door) return result;
  result.door = knows_prefix ? knows_prefix->door.get() : &fallback();
  if (knows_prefix) result.gate = &knows_prefix->gate;
  return result;
}

const Door& Router::fallback() const {
  // Sorted by prefix length, longest first, so a root mount is near the end; the first match
  // decides.
  for (const Mounted& mount : mounts_) {
    if (mount.prefix.empty() || mount.prefix == "/") return *mount.door;
  }
  return mounts_.empty() ? *plain_ : *mounts_.front().door;
}

}  // namespace docket::http
