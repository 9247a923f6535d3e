#include "http/peer_owner.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "http/socket_holder.h"

namespace docket::http {
namespace {

using Find = std::function<std::optional<SocketEntry>(const Endpoint& near, const Endpoint& far)>;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

bool connect_to(int socket, const Endpoint& where) {
  return ::connect(socket, where.data(), static_cast<socklen_t>(where.size())) == 0;
}

// The kernel connects to one of its own addresses from that same address.
bool is_of_this_machine(const Endpoint& far) {
  if (far.address().is_loopback()) return true;
  const Descriptor probe(::socket(far.protocol().family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (probe.get() < 0 || !connect_to(probe.get(), far)) return false;
  const auto near = endpoint_of(probe.get(), End::kNear);
  return near && near->address() == far.address();
}

// While our end lives, no other connection can have its addresses: a match is its other end, and
// not a newer socket of another user.
bool is_connected(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  return info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_CLOSE_WAIT;
}

class KernelOwners final : public PeerOwners {
 public:
  explicit KernelOwners(Find find) : find_(std::move(find)) {}

  PeerInfo look(int socket) override {
    const auto near = endpoint_of(socket, End::kNear);
    const auto far = endpoint_of(socket, End::kFar);
    PeerInfo facts{.local = !near || !far || is_of_this_machine(*far)};
    if (!near || !far || !facts.local || !find_) return facts;
    const auto entry = find_(*far, *near);
    if (entry && is_connected(socket)) facts.owner = holder_of(*entry);
    return facts;
  }

 private:
  const Find find_;
};

// Whether it finds the owner of a connection that this process makes to itself.
bool works(PeerOwners& owners) {
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Endpoint where(boost::asio::ip::address_v4::loopback(), 0);
  if (::bind(listener.get(), where.data(), static_cast<socklen_t>(where.size())) != 0) return false;
  if (::listen(listener.get(), 1) != 0) return false;
  where = endpoint_of(listener.get(), End::kNear).value_or(where);
  if (!connect_to(client.get(), where)) return false;
  const Descriptor server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return owners.look(server.get()).owner == ::geteuid();
}

}  // namespace

OpenedOwners open_peer_owners() {
  OpenedOwners opened;
  if (auto diagnosis = SocketDiagnosis::open()) {
    const auto shared = std::make_shared<SocketDiagnosis>(std::move(*diagnosis));
    opened.owners = std::make_unique<KernelOwners>(
        [shared](const Endpoint& near, const Endpoint& far) { return shared->find(near, far); });
    if (works(*opened.owners)) return opened;
    opened.trouble = "socket diagnosis does not work";
  } else {
    opened.trouble = "socket diagnosis is not available: " + diagnosis.error().message;
  }
  opened.owners = std::make_unique<KernelOwners>(find_in_proc);
  if (works(*opened.owners)) return opened;
  opened.trouble += "; /proc/net/tcp does not work either";
  opened.can_tell = false;
  opened.owners = std::make_unique<KernelOwners>(nullptr);
  return opened;
}

}  // namespace docket::http
