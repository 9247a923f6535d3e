#pragma once

// The runner's socket and whoever is connected to it: normally one server, briefly two when a
// server is replaced. Buffers both ways; one write for all output of a turn. Runner thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/runner.h"
#include "exec/runner/wire.h"

namespace docket::runner {

class Clients {
 public:
  using Note = std::function<void(const std::string&)>;
  using Handle = std::function<void(int client, wire::Message)>;
  // epoll_fd: where descriptors are watched, with themselves as data.
  Clients(const RunnerConfig& config, int epoll_fd, Handle handle, Note note);

  Result<> listen();
  bool owns(int fd) const { return fd == listener_.get() || clients_.contains(fd); }
  void on_ready(int fd, std::uint32_t events);

  void broadcast(const engine::AttemptReport& report);
  std::string& output(int client);  // append frames; sent by flush()
  void flush();
  void drop(int client);
  bool none() const { return clients_.empty(); }

 private:
  struct Client {
    OwnedFd fd;
    std::string in;
    std::string out;
    std::size_t sent = 0;
    bool greeted = false;
    std::uint64_t epoch = 0;  // of a server; 0: it has none
    bool wants_write = false;
    bool closing = false;
  };
  void accept_all();
  void read(Client& client);
  void take_frames(Client& client);
  void see_epoch(Client& client, std::uint64_t epoch);
  void write(Client& client);
  void watch(Client& client, bool write);

  const RunnerConfig& config_;
  int epoll_fd_;
  Handle handle_;
  Note note_;
  OwnedFd listener_;
  std::unordered_map<int, std::unique_ptr<Client>> clients_;
  std::string discarded_;
  std::uint64_t epoch_ = 0;  // the newest: servers of older ones are not obeyed any more
};

}  // namespace docket::runner
