#pragma once

// A real server on a loopback port with its own io thread, and a client that speaks raw bytes.
// Tests wait on sockets and latches with a deadline, never on time alone.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <cstring>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "http/server.h"

namespace docket::http {

inline constexpr int kPatienceMs = 20000;  // before a test gives up; sanitizers are slow

// A value that one thread sets and another waits for.
template <class T>
class Slot {
 public:
  void put(T value) { promise_.set_value(std::move(value)); }
  T take() {
    const auto ready = future_.wait_for(std::chrono::milliseconds(kPatienceMs));
    if (ready != std::future_status::ready) throw std::runtime_error("nothing came");
    return future_.get();
  }

 private:
  std::promise<T> promise_;
  std::future<T> future_ = promise_.get_future();
};

struct Answer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::string head;
  std::string body;
  bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr generic{};
    std::memcpy(&generic, &address, sizeof generic);
    EXPECT_EQ(::connect(socket_, &generic, sizeof generic), 0);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  // Sends as much as the server takes; false when it has closed.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void half_close() { ::shutdown(socket_, SHUT_WR); }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }

  // Reads more into the buffer; false at the end of the connection, by FIN or by reset.
  bool read_some() {
    pollfd wait{.fd = socket_, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "the server sends nothing after: " << buffer_.substr(0, 500);
      return false;
    }
    std::string bytes(64 * 1024, '\0');
    const auto size = ::recv(socket_, bytes.data(), bytes.size(), 0);
    was_reset_ = size < 0;
    if (size > 0) buffer_.append(bytes, 0, static_cast<std::size_t>(size));
    return size > 0;
  }

  // What arrives up to and including mark; what has arrived, if the connection ends before.
  std::string read_until(std::string_view mark) {
    std::size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!read_some()) return std::exchange(buffer_, {});
    }
    return take(at + mark.size());
  }

  std::string read_to_end() {
    while (read_some()) {
    }
    return std::exchange(buffer_, {});
  }

  enum class Body { kExpected, kNone };
  Answer read_answer(Body body = Body::kExpected) {
    Answer answer;
    answer.head = read_until("\r\n\r\n");
    if (!answer.head.starts_with("HTTP/1.1 ") || !answer.head.ends_with("\r\n\r\n")) return answer;
    answer.status = std::stoi(answer.head.substr(9, 3));
    const auto length = answer.head.find("Content-Length: ");
    if (body == Body::kNone) return answer;
    if (answer.has("Transfer-Encoding: chunked")) {
      answer.body = read_chunks();
    } else if (length != std::string::npos) {
      const auto size = std::stoul(answer.head.substr(length + 16));
      while (buffer_.size() < size && read_some()) {
      }
      answer.body = take(std::min<std::size_t>(size, buffer_.size()));
    }
    return answer;
  }

  Answer get(std::string_view path) {
    send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return read_answer();
  }

  bool ended() { return buffer_.empty() && !read_some(); }
  bool was_reset() const { return was_reset_; }

 private:
  std::string take(std::size_t size) {
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  std::string read_chunks() {
    std::string body;
    for (;;) {
      const auto line = read_until("\r\n");
      const auto size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
      while (buffer_.size() < size + 2 && read_some()) {
      }
      body += take(size);
      if (take(2) != "\r\n") return body + "<cut>";
      if (size == 0) return body;
    }
  }

  int socket_;
  std::string buffer_;
  bool was_reset_ = false;
};

class ServerTest : public ::testing::Test {
 public:
  ~ServerTest() override { halt(); }

 protected:
  ServerTest() { door_->envelope = envelope; }

  static Response envelope(const Failure& failure) {
    return {.status = failure.status,
            .content_type = "text/plain",
            .body = std::to_string(failure.status) + " " + failure.path};
  }

  void route(std::string method, std::string pattern, Handler handler,
             BodyRule body = BodyRule::kIgnore) {
    door_->routes.push_back({std::move(method), std::move(pattern), std::move(handler), body});
  }

  // Starts the server with the routes so far.
  std::uint16_t serve() {
    server_.emplace(io_, limits_);
    const auto port = server_->listen("127.0.0.1", 0, {{"", door_, gate_}});
    EXPECT_TRUE(port) << (port ? "" : port.error().message);
    thread_ = std::thread([this] { io_.run(); });
    return *port;
  }

  void halt() {
    guard_.reset();
    if (thread_.joinable()) {
      io_.stop();
      thread_.join();
    }
    server_.reset();
  }

  // Runs on the io thread, and waits for it.
  void on_io(const std::function<void()>& work) {
    Slot<bool> finished;
    boost::asio::post(io_, [&] {
      work();
      finished.put(true);
    });
    finished.take();
  }

  static void answer_ok(const Request&, const Reply& reply) {
    reply({.content_type = "text/plain", .body = "ok"});
  }

  static Handler answer_with(Response response) {
    return [response](const Request&, const Reply& reply) { reply(response); };
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      io_.get_executor()};
  Limits limits_;
  Gate gate_;
  std::shared_ptr<Door> door_ = std::make_shared<Door>();
  std::optional<Server> server_;
  std::thread thread_;
};

}  // namespace docket::http
