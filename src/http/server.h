#pragma once

// Listening sockets and the lifetime of connections. In this room only server.cc and its neighbours
// use Asio and Beast; this header does not.
//
// Thread rule: one thread runs the io_context; handlers are called inline on it, so they must not
// block. Replies and stream chunks may come from any thread, even after the server is gone (they
// are then dropped). Call listen, stop and the destructor on that thread or while it does not run.
// The io_context outlives the server.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "http/access.h"
#include "http/door.h"
#include "http/origin.h"

namespace boost::asio {
class io_context;  // NOLINT(readability-identifier-naming): Asio's name
}

namespace docket::http {

class LocalTrust;

struct Limits {
  std::size_t header_bytes = 64 * 1024;  // more is 431 (414 when it is all request line)
  std::size_t connections = 20000;       // more are accepted and answered 503 at once
  std::size_t buffered_bytes = std::size_t{256} << 20U;  // of all connections together: budget.h
  // From the first byte to the last of one request; then 408.
  std::chrono::milliseconds request_timeout = std::chrono::seconds(15);
  // Between requests; closed silently.
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(75);
  // A client that does not read, or too slowly: budget.h.
  std::chrono::milliseconds write_timeout = std::chrono::seconds(60);
  // How long a stream may be silent before its heartbeat is sent.
  std::chrono::milliseconds heartbeat = std::chrono::seconds(15);
};

struct Mount {
  std::string prefix;  // "" or "/service/metronome"; the longest with a matching route wins
  std::shared_ptr<const Door> door;  // shared: one door is mounted on its own port and on the hub
  Gate gate = {};                    // checked before anything else, even for unknown paths
};

// What a listener serves. Several mounts may share a prefix: routes are tried in order, and the
// first mount whose prefix matches renders the 404.
using Site = std::vector<Mount>;

class Server {
 public:
  Server(boost::asio::io_context& io, Limits limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and starts to accept. Port 0 picks one. Returns the port bound.
  Result<std::uint16_t> listen(const std::string& address, std::uint16_t port, Site site);
  // Names under which requests may address the server, besides its addresses and localhost.
  void answer_to(HostNames names);
  // Which users to serve while there is no access list; before the first call, everyone.
  void trust(std::unique_ptr<LocalTrust> trust);
  // From now on callers are identified by this list.
  void admit(AccessList list);
  // Stops accepting, ends idle connections and streams, lets requests in flight finish until the
  // deadline, then calls done on the io thread. Idempotent.
  void stop(std::chrono::milliseconds deadline, std::function<void()> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace docket::http
