#include "exec/runner/clients.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>

#include "exec/runner/epoch_file.h"
#include "exec/runner/log_files.h"

namespace docket::runner {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

// A path longer than sun_path is reached through its directory's descriptor, so that data
// directories may be deep.
Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(ErrorKind::kInvalid, fmt::format("the socket's path is too long: {}", path));
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// The mode of the socket file guards it already; this holds even where the file system ignores
// that.
bool is_ours(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

Clients::Clients(const RunnerConfig& config, int epoll_fd, Handle handle, Note note)
    : config_(config),
      epoll_fd_(epoll_fd),
      handle_(std::move(handle)),
      note_(std::move(note)),
      epoch_(epoch_seen(config.dir)) {}

Result<> Clients::listen() {
  const std::string path = socket_path(config_.dir);
  const auto address = address_of(path);
  if (!address) return fail(address.error());
  listener_ = OwnedFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  ::unlink(path.c_str());  // of a runner that is gone: the lock on the directory says so
  const mode_t before = ::umask(0177);
  const int bound =
      ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  ::umask(before);
  if (!listener_ || bound != 0 || ::listen(listener_.get(), 64) != 0) {
    return fail_errno(fmt::format("cannot listen on {}", path), errno);
  }
  epoll_event event{EPOLLIN, {.fd = listener_.get()}};
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, listener_.get(), &event);
  return {};
}

void Clients::accept_all() {
  for (;;) {
    OwnedFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    if (!is_ours(fd.get()) || clients_.size() >= config_.max_clients) continue;
    const int number = fd.get();
    auto client = std::make_unique<Client>();
    client->fd = std::move(fd);
    epoll_event event{EPOLLIN, {.fd = number}};
    ::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, number, &event);
    clients_.emplace(number, std::move(client));
  }
}

void Clients::on_ready(int fd, std::uint32_t events) {
  if (fd == listener_.get()) {
    accept_all();
    return;
  }
  const auto found = clients_.find(fd);
  if (found == clients_.end()) return;
  Client& client = *found->second;
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read(client);
  if (client.closing) clients_.erase(found);
}

void Clients::read(Client& client) {
  const std::size_t had = client.in.size();
  client.in.resize(had + kReadBytes);
  const ssize_t n = ::recv(client.fd.get(), client.in.data() + had, kReadBytes, 0);
  client.in.resize(had + (n > 0 ? static_cast<std::size_t>(n) : 0));
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) client.closing = true;
  take_frames(client);
}

// Frames received before the peer went are still obeyed: a start that was sent is a start.
void Clients::take_frames(Client& client) {
  std::string_view rest = client.in;
  for (;;) {
    auto message = wire::take(rest, config_.max_frame_bytes);
    if (!message) {
      client.closing = true;
      return;
    }
    if (!*message) break;
    const auto* hello = std::get_if<wire::Hello>(&**message);
    client.greeted = client.greeted || (hello != nullptr && hello->version == wire::kVersion);
    if (hello != nullptr) see_epoch(client, wire::epoch_of(*hello));
    const bool outlived = client.epoch != 0 && client.epoch < epoch_;
    if ((!client.greeted && hello == nullptr) || outlived) {
      client.closing = true;
      return;
    }
    handle_(client.fd.get(), std::move(**message));
  }
  client.in.erase(0, client.in.size() - rest.size());
}

void Clients::see_epoch(Client& client, std::uint64_t epoch) {
  client.epoch = epoch;
  if (epoch <= epoch_) return;
  epoch_ = epoch;
  if (const auto noted = note_epoch(config_.dir, epoch); !noted) note_(noted.error().message);
}

void Clients::broadcast(const engine::AttemptReport& report) {
  for (const auto& [fd, client] : clients_) {
    if (client->greeted) wire::append(client->out, report);
  }
}

std::string& Clients::output(int client) {
  const auto found = clients_.find(client);
  if (found != clients_.end()) return found->second->out;
  discarded_.clear();
  return discarded_;
}

void Clients::drop(int client) { clients_.erase(client); }

void Clients::flush() {
  for (auto at = clients_.begin(); at != clients_.end();) {
    Client& client = *at->second;
    if (client.out.size() > client.sent) write(client);
    at = client.closing ? clients_.erase(at) : std::next(at);
  }
}

void Clients::write(Client& client) {
  while (client.sent < client.out.size()) {
    const ssize_t n = ::send(client.fd.get(), client.out.data() + client.sent,
                             client.out.size() - client.sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) client.closing = true;
    if (n < 0) break;
    client.sent += static_cast<std::size_t>(n);
  }
  const std::size_t left = client.out.size() - client.sent;
  if (left == 0) {
    client.out.clear();
    client.sent = 0;
  }
  // Dropping a client that does not read loses nothing: it asks for everything again when it is
  // back.
  if (left > config_.max_unsent_bytes) client.closing = true;
  if ((left > 0) != client.wants_write) watch(client, left > 0);
}

void Clients::watch(Client& client, bool write) {
  client.wants_write = write;
  epoll_event event{EPOLLIN | (write ? std::uint32_t{EPOLLOUT} : 0U), {.fd = client.fd.get()}};
  ::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, client.fd.get(), &event);
}

}  // namespace docket::runner
