#pragma once

// Callers and what they may do: tokens, identities and permissions in the notation of DC/OS
// ("dcos:service:metronome:metronome:jobs:marketing read,update"). Pure data, immutable once made,
// so it may be used on any thread.
//
// The server determines who sent a request (Request::identity); a Gate in front of a mount refuses
// callers without its permission; the doors check what a caller may do to a single object. A server
// without an access list is open: every caller is anyone().
//
// Tested by access_test.cc.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace docket::http {

// What one permission allows. kFull is all of them.
enum class Action : unsigned { kCreate = 1, kRead = 2, kUpdate = 4, kDelete = 8, kFull = 15 };

// "docket:native full": the missing permission, in the notation of grant().
std::string permission_for(std::string_view resource, Action action);
// Whether a permission on `granted` also covers `resource`: the same resource, or one below it.
bool covers(std::string_view granted, std::string_view resource);

// A header of every 403: the permission that would have sufficed.
inline constexpr const char* kPermissionHeader = "X-Docket-Permission";

class Identity {
 public:
  explicit Identity(std::string name) : name_(std::move(name)) {}
  // "RESOURCE ACTION[,ACTION...]", actions being create, read, update, delete, full; kInvalid
  // otherwise. "dcos:superuser full" allows everything.
  Result<> grant(std::string_view permission);

  const std::string& name() const { return name_; }
  bool is_superuser() const { return superuser_; }
  // A permission covers its resource and everything below it, after a ':' or a '/'. Actions on one
  // resource may come from several permissions.
  bool may(std::string_view resource, Action action) const;

 private:
  struct Permission {
    std::string resource;
    unsigned actions = 0;
  };
  std::string name_;
  bool superuser_ = false;
  std::vector<Permission> permissions_;
};
// Shared by the requests of a token; null for a request without a valid one.
using IdentityPtr = std::shared_ptr<const Identity>;

// The identity of every caller on a server without an access list: may do everything.
const IdentityPtr& anyone();

// Lower-case hexadecimal SHA-256 of a token, as access lists store it: the list alone gives no
// access.
std::string token_digest(std::string_view token);

class AccessList {
 public:
  // kInvalid unless it is a SHA-256 in lower-case hexadecimal; kConflict if it is already there.
  Result<> add(const std::string& digest, IdentityPtr identity);
  // The identity for an Authorization header: "token=TOKEN", or "Bearer TOKEN" as later DC/OS
  // clients send it; null for anything else.
  IdentityPtr identify(std::string_view authorization) const;

 private:
  std::map<std::string, IdentityPtr, std::less<>> by_digest_;
};

// What a request needs to pass the router in front of a mount. `read` is for GET.
struct Gate {
  std::string resource = {};  // empty: everyone passes
  Action read = Action::kFull;
  Action write = Action::kFull;

  // 0 to pass, 401 without an identity, 403 without the permission.
  int refusal(const IdentityPtr& identity, std::string_view method) const;
  std::string wanted(std::string_view method) const;  // the permission
  Action action_for(std::string_view method) const;
};

}  // namespace docket::http
