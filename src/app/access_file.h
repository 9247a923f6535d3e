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

// What permissions can be about: every resource that a door checks.
std::vector<std::string> known_resources();

// kUnavailable if it cannot be read; kInvalid, with the user's name, for any mistake in it,
// including unknown keys and resources, since a mistyped one would silently grant less or more than
// intended.
Result<http::AccessList> read_access_file(const std::string& path);

struct AccessUser {
  std::string name;
  std::vector<std::string> permissions;
};
// In the order of the file; errors as above.
Result<std::vector<AccessUser>> read_users(const std::string& path);

// Adds a user with a new token to the file (created if missing, for its owner only) and returns the
// token: 256 random bits, base64url. kConflict if the name exists already; kInvalid without a
// permission, and for one on an unknown resource.
Result<std::string> add_user(const std::string& path, const std::string& name,
                             const std::vector<std::string>& permissions, Random& random);

// Removes a user from the file, which keeps its other lines, mode and owner. kNotFound if there is
// none.
Result<> remove_user(const std::string& path, const std::string& name);

}  // namespace docket::app
