#pragma once

// Which user is at the other end of a connection, according to this machine's kernel: a port, and
// its implementation. A lookup takes some microseconds.
//
// io thread only. Tested by peer_owner_test.cc.

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

namespace docket::http {

struct PeerInfo {
  bool local = false;  // the other end is on this machine
  std::optional<uid_t> owner =
      {};  // the user of the process that holds it; none: no process does, or it is unknown
};

class PeerOwners {
 public:
  virtual ~PeerOwners() = default;
  virtual PeerInfo look(int socket) = 0;
};

// By socket diagnosis, else from /proc/net/tcp: the first that gives the right answer for a test
// connection. `trouble` says why it is not the first one, and then why it is neither: owners are
// then never known.
struct OpenedOwners {
  std::unique_ptr<PeerOwners> owners;
  bool can_tell = true;
  std::string trouble = {};
};
OpenedOwners open_peer_owners();

}  // namespace docket::http
