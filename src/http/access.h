#pragma once

// Who asks, and what they may do: tokens, identities and permissions in the form DC/OS writes them
// ("dcos:service:metronome:metronome:jobs:marketing read,update"). Pure data; immutable once made,
// so any thread may ask.
//
// The server tells who sent a request (Request::identity); a Gate in front of a mount turns away
// who may not pass; what a caller may do to a single thing is asked by the doors. A server without
// an access list is open: everyone is anyone().
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

// "docket:native full": the permission that is missing, in the words of grant().
std::string permission_for(std::string_view resource, Action action);
// Whether a permission on `granted` is one on `resource`: that, or something above it.
bool covers(std::string_view granted, std::string_view resource);

// Of a 403, by whichever door: the permission that would have helped.
inline constexpr const char* kPermissionHeader = "X-Docket-Permission";

class Identity {
 public:
  explicit Identity(std::string name) : name_(std::move(name)) {}
  // "RESOURCE ACTION[,ACTION...]", actions being create, read, update, delete, full; kInvalid
  // otherwise. "dcos:superuser full" allows everything.
  Result<> grant(std::string_view permission);

  const std::string& name() const { return name_; }
  bool is_superuser() const { return superuser_; }
  // A permission covers its resource and what lies below it, after a ':' or a '/'. Actions on one
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

// Everyone, on a server without an access list: may do everything.
const IdentityPtr& anyone();

// Lower-case hexadecimal SHA-256 of a token, as access lists keep it: the list alone admits nobody.
std::string token_digest(std::string_view token);

class AccessList {
 public:
  // kInvalid for what is no SHA-256 in lower-case hexadecimal; kConflict for one that is there.
  Result<> add(const std::string& digest, IdentityPtr identity);
  // Whom an Authorization header speaks for: "token=TOKEN", or "Bearer TOKEN" as later clients of
  // DC/OS send it; null for anything else.
  IdentityPtr identify(std::string_view authorization) const;

 private:
  std::map<std::string, IdentityPtr, std::less<>> by_digest_;
};

// The rule of the router in front of a mount: what a request needs to pass. `read` is for GET.
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
