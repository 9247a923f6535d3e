#pragma once

// The user of a socket on this machine, found by its two addresses. Tested by peer_owner_test.cc.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "http/socket_address.h"

namespace docket::http {

// What the kernel reports about a socket.
struct SocketEntry {
  unsigned state = 0;  // as in netinet/tcp.h
  uid_t uid = 0;
  std::uint64_t inode = 0;  // 0: no process has it open
};
// A connection that no process holds any more is reported with user 0, but is not root's.
std::optional<uid_t> holder_of(const SocketEntry& entry);

// Asks by netlink (sock_diag(7)).
class SocketDiagnosis {
 public:
  // kUnavailable if the kernel or a sandbox does not allow it.
  static Result<SocketDiagnosis> open();
  SocketDiagnosis(SocketDiagnosis&& other) noexcept;
  SocketDiagnosis& operator=(SocketDiagnosis&&) = delete;
  ~SocketDiagnosis();

  std::optional<SocketEntry> find(const Endpoint& near, const Endpoint& far);

 private:
  explicit SocketDiagnosis(int socket) : socket_(socket) {}
  int socket_;
  std::uint32_t asked_ = 0;
};

// The same from the text of /proc/net/tcp (IPv4) or /proc/net/tcp6.
std::optional<SocketEntry> find_in_table(std::string_view table, const Endpoint& near,
                                         const Endpoint& far);
// From those files themselves: slow on machines with many connections.
std::optional<SocketEntry> find_in_proc(const Endpoint& near, const Endpoint& far);

}  // namespace docket::http
