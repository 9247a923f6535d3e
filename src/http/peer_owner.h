#pragma once

// Who is at the other end of a connection, as the kernel of this machine tells it: a port, and what
// asks the kernel. A question takes some microseconds.
//
// io thread only. Tested by peer_owner_test.cc.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace docket::http {

struct PeerFacts {
  bool local = false;               // the other end is on this machine
  std::optional<uid_t> owner = {};  // whose process holds it; none: nobody's, or nobody can tell
};

class PeerOwners {
 public:
  virtual ~PeerOwners() = default;
  virtual PeerFacts look(int socket) = 0;
};

// By socket diagnosis, else from /proc/net/tcp, whichever answers rightly for a connection that is
// made to try it. `trouble` says why it is not the first, and then why it is neither: owners are
// never known.
struct OpenedOwners {
  std::unique_ptr<PeerOwners> owners;
  bool can_tell = true;
  std::string trouble = {};
};
OpenedOwners open_peer_owners();

}  // namespace docket::http
