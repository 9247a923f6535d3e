#pragma once

// Which users a server without an access list serves: its own user and root, on this machine; more
// by its settings. Any other user who could connect over loopback unchecked would run commands as
// the server's user.
//
// io thread only. Tested by local_trust_test.cc.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "http/peer_owner.h"

namespace docket::http {

struct TrustSettings {
  bool local_users = false;         // every user of this machine
  std::vector<std::string> groups;  // their members, by primary group or another
  bool remote = false;              // clients on other machines
};

class LocalTrust {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using IsMember = std::function<bool(uid_t user, const std::string& group)>;
  // How long a group membership is cached.
  static constexpr std::chrono::seconds kMemory{10};

  LocalTrust(TrustSettings settings, std::unique_ptr<PeerOwners> owners, uid_t self,
             IsMember is_member);

  // Why the client at the other end is not served, and how to allow it; empty: it is served.
  std::string objection(int socket, Time now);

 private:
  struct Membership {
    bool member = false;
    Time until{};
  };
  bool trusts(uid_t user, Time now);
  std::string describe_trusted_users() const;

  const TrustSettings settings_;
  const std::unique_ptr<PeerOwners> owners_;
  const uid_t self_;
  const IsMember is_member_;
  std::map<uid_t, Membership> known_;  // of the users of this machine
};

// From the machine's own databases of users and groups, which may be remote: it can take a while.
bool is_member(uid_t user, const std::string& group);
// kInvalid if there is no such group.
Result<> check_group(const std::string& group);

}  // namespace docket::http
