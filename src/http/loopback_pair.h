#pragma once

// For tests: a connection over loopback with both its ends, without a server.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <utility>

#include "http/socket_address.h"

namespace docket::http {

struct LoopbackPair {
  // The client's socket belongs to `user`, and is first bound to `client_port` if there is one.
  explicit LoopbackPair(const char* listen_on = "127.0.0.1", const char* connect_to = "127.0.0.1",
                        std::optional<uid_t> user = std::nullopt, std::uint16_t client_port = 0,
                        int shared_listener = -1)
      : listener(shared_listener >= 0 ? ::dup(shared_listener) : listen_at(listen_on)) {
    Endpoint target(boost::asio::ip::make_address(connect_to),
                    endpoint_of(listener, End::kNear)->port());
    if (user) ::setfsuid(*user);
    client = ::socket(target.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (user) ::setfsuid(::geteuid());
    if (client_port != 0) {
      const int on = 1;
      ::setsockopt(client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      const Endpoint from(target.address(), client_port);
      EXPECT_EQ(::bind(client, from.data(), static_cast<socklen_t>(from.size())), 0);
    }
    EXPECT_EQ(::connect(client, target.data(), static_cast<socklen_t>(target.size())), 0);
    server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    EXPECT_GE(server, 0);
    server_end = endpoint_of(server, End::kNear).value();
    client_end = endpoint_of(server, End::kFar).value();
  }
  LoopbackPair(const LoopbackPair&) = delete;
  LoopbackPair& operator=(const LoopbackPair&) = delete;
  ~LoopbackPair() {
    close_client();
    ::close(server);
    ::close(listener);
  }

  void close_client() {
    if (client >= 0) ::close(std::exchange(client, -1));
  }
  void reset_client() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close_client();
  }

  int listener;
  int client = -1;
  int server = -1;
  Endpoint client_end;  // as the server sees them
  Endpoint server_end;

 private:
  static int listen_at(const char* address) {
    const Endpoint where(boost::asio::ip::make_address(address), 0);
    const int listener = ::socket(where.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listener, where.data(), static_cast<socklen_t>(where.size())), 0);
    EXPECT_EQ(::listen(listener, 1), 0);
    return listener;
  }
};

}  // namespace docket::http
