#pragma once

// Finds the route for a method and path. Each of a site's mounts is compiled once into a tree;
// matching allocates only what it returns. No sockets here; immutable after compile, so it may be
// used on any thread.
//
// Which route wins: mounts are tried by length of prefix, longest first (equal ones in site order),
// and the first that has both path and method wins. Within a mount a literal segment beats a
// capture and a capture beats {rest...}, and a better path that lacks the method does not hide a
// worse one that has it. If no mount has both, the first that has the path answers 405 (404 by its
// flag); if none has the path, the first whose prefix matches answers 404.
//
// Tested by router_test.cc.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "http/server.h"

namespace docket::http {

struct Match {
  int status = 404;              // 200 found; 400, 404, 405 for the door's envelope
  const Door* door = nullptr;    // never null after match()
  const Route* route = nullptr;  // set when status is 200
  const Gate* gate = nullptr;    // of the mount that answers; null if no prefix matches
  bool head = false;             // HEAD answered by a GET route: the body is dropped
  std::string path;              // see Request::path
  std::vector<std::string> params;
  std::string allow;  // methods of the path, for 405's Allow
};

class Router {
 public:
  // kInvalid for a pattern without leading '/', a {rest...} that is not last, too many captures,
  // the same method and pattern twice in one door, a mount without a door, or a prefix that does
  // not start with '/'.
  static Result<Router> compile(Site site);
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;
  ~Router();

  // `path` is as the client sent it: percent-encoded, without query.
  Match match(std::string_view method, std::string_view path) const;

  // The door for requests that failed before they had a path: the one mounted at the root, else the
  // first.
  const Door& fallback() const;

 private:
  struct Mounted;
  struct Node;
  struct Search;
  Router();
  std::shared_ptr<const Door> plain_;  // stands in if the site is empty
  std::vector<Mounted> mounts_;
};

}  // namespace docket::http
