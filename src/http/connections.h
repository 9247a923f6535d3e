#pragma once

// All open connections of a server and what they share: limits, the Date text, one read buffer, and
// one coarse timer that checks every deadline a few times a second (a timer per request would cost
// more than the request). io thread only.

#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "http/admission.h"
#include "http/budget.h"
#include "http/connection.h"
#include "http/mailbox.h"
#include "http/router.h"
#include "http/wire.h"

namespace docket::http {

class Connections : public std::enable_shared_from_this<Connections> {
 public:
  Connections(boost::asio::io_context& io, const Limits& limits);

  // Takes over an accepted socket. Over the limit it is answered 503; far over it, it is closed
  // without an answer.
  void open(Socket socket, std::string remote, std::shared_ptr<const Router> router);
  // Ends idle connections, lets the rest finish until the deadline; done is posted when none is
  // left.
  void drain(std::chrono::milliseconds deadline, std::function<void()> done);
  void close_all();
  Admission& admission() { return admission_; }

  // For connections.
  void forget();  // one has closed
  const Limits& limits() const { return limits_; }
  bool draining() const { return draining_; }
  SteadyTime now() const { return std::chrono::steady_clock::now(); }
  std::string_view date();
  // The read buffer: its content is parsed before any connection reads again, and the rest is
  // copied out.
  std::span<char> scratch() { return scratch_; }
  const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
  void read_in_turn(std::shared_ptr<Connection> connection);
  const Budget& budget() const { return budget_; }
  void count(std::size_t before, std::size_t now);  // bytes held by one

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;

  void arm_sweep();
  void sweep();
  void relieve();
  void take_turn();
  void finish_drain();
  std::vector<std::shared_ptr<Connection>> snapshot() const;

  const Limits limits_;
  const std::chrono::milliseconds sweep_period_;
  Admission admission_;
  std::shared_ptr<Mailbox> mailbox_;  // shared with every unanswered Reply
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> open_;
  std::size_t count_ = 0;
  std::deque<std::shared_ptr<Connection>> turns_;  // connections that send much
  Budget budget_;
  bool relieving_ = false;
  SteadyTime last_look_{};
  DateCache date_;
  Timer sweep_timer_;
  bool sweeping_ = false;
  bool draining_ = false;
  SteadyTime drain_deadline_{};
  std::vector<std::function<void()>> drained_;
  std::array<char, 64 * 1024> scratch_;
};

}  // namespace docket::http
