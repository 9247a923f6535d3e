#include "http/server.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "http/connections.h"
#include "http/local_trust.h"
#include "http/router.h"

namespace docket::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;

constexpr int kBacklog = 4096;
// The pause after an accept failed for lack of descriptors; retrying at once would spin.
constexpr std::chrono::milliseconds kAcceptPause{100};

class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& io, std::shared_ptr<Connections> connections, Router router)
      : connections_(std::move(connections)),
        router_(std::make_shared<const Router>(std::move(router))),
        acceptor_(io),
        pause_(io) {}

  error_code bind(const tcp::endpoint& endpoint) {
    error_code ec;
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(kBacklog, ec);
    return ec;
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void accept() {
    acceptor_.async_accept(peer_, [self = shared_from_this()](error_code ec, Socket socket) {
      self->on_accept(ec, std::move(socket));
    });
  }

  void close() {
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  void on_accept(error_code ec, Socket socket) {
    if (!acceptor_.is_open()) return;
    if (!ec) {
      connections_->open(std::move(socket), peer_.address().to_string(), router_);
    } else if (ec != asio::error::connection_aborted) {
      return rest();
    }
    if (acceptor_.is_open()) accept();
  }

  void rest() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([self = shared_from_this()](error_code) {
      if (self->acceptor_.is_open()) self->accept();
    });
  }

  std::shared_ptr<Connections> connections_;  // shared with them
  std::shared_ptr<const Router> router_;      // shared with the connections
  asio::basic_socket_acceptor<tcp, Executor> acceptor_;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      pause_;
  tcp::endpoint peer_;
};

}  // namespace

struct Server::Impl {
  Impl(asio::io_context& context, const Limits& limits)
      : io(context), connections(std::make_shared<Connections>(context, limits)) {}

  void stop_accepting() {
    for (const auto& listener : listeners) listener->close();
    listeners.clear();
  }

  asio::io_context& io;
  std::shared_ptr<Connections> connections;          // shared with their pending operations
  std::vector<std::shared_ptr<Listener>> listeners;  // shared with their pending accepts
};

Server::Server(asio::io_context& io, Limits limits) : impl_(std::make_unique<Impl>(io, limits)) {}

Server::~Server() {
  impl_->stop_accepting();
  impl_->connections->close_all();
  impl_->connections->mailbox()->shut();
}

Result<std::uint16_t> Server::listen(const std::string& address, std::uint16_t port, Site site) {
  auto router = Router::compile(std::move(site));
  if (!router) return fail(std::move(router.error()));
  error_code ec;
  const auto ip = asio::ip::make_address(address, ec);
  if (ec) return fail(ErrorKind::kInvalid, "not an IP address: " + address);
  const auto listener =
      std::make_shared<Listener>(impl_->io, impl_->connections, *std::move(router));
  if ((ec = listener->bind(tcp::endpoint(ip, port)))) {
    const auto where = address + ":" + std::to_string(port);
    return fail(ErrorKind::kUnavailable, "cannot listen on " + where + ": " + ec.message());
  }
  impl_->listeners.push_back(listener);
  listener->accept();
  return listener->port();
}

void Server::answer_to(HostNames names) {
  impl_->connections->admission().answer_to(std::move(names));
}

void Server::trust(std::unique_ptr<LocalTrust> trust) {
  impl_->connections->admission().trust(std::move(trust));
}

void Server::admit(AccessList list) { impl_->connections->admission().admit(std::move(list)); }

void Server::stop(std::chrono::milliseconds deadline, std::function<void()> done) {
  impl_->stop_accepting();
  impl_->connections->drain(deadline, std::move(done));
}

}  // namespace docket::http
