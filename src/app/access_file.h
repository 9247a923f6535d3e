#pragma once

// The access list of `docket serve --access FILE`: who may send requests, and what they may do.
//
//   [[user]]
//   name = "ci"
//   token-sha256 = "9f86d0..."                # of the token; the token itself is kept nowhere
//   permissions = ["dcos:superuser full"]
//
// `docket access` edits such entries. Read at start and again on SIGHUP.

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "http/access.h"

namespace docket::app {

// What permissions are about: every resource that a door asks for.
std::vector<std::string> known_resources();

// kUnavailable when it cannot be read; kInvalid, with the user's name, for what is wrong in it: an
// unknown key or resource too, since a mistyped one would silently grant less or more than was
// meant.
Result<http::AccessList> read_access_file(const std::string& path);

struct AccessUser {
  std::string name;
  std::vector<std::string> permissions;
};
// In the order of the file; errors as above.
Result<std::vector<AccessUser>> read_users(const std::string& path);

// Adds a user with a new token to the file (made if it is not there, for its owner only) and gives
// the token: 256 random bits, base64url. kConflict when the name is there already; kInvalid without
// a permission, and for one that is about nothing.
Result<std::string> add_user(const std::string& path, const std::string& name,
                             const std::vector<std::string>& permissions, Random& random);

// Takes a user out of the file, which keeps its other lines, mode and owner. kNotFound.
Result<> remove_user(const std::string& path, const std::string& name);

}  // namespace docket::app
