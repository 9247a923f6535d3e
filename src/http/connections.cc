#include "http/connections.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

namespace docket::http {
namespace {

// Connections over the limit that are kept just long enough to send their 503.
constexpr std::size_t kRefusedAtOnce = 64;

// Reads of 64 KiB before all other connections get a turn.
constexpr std::size_t kReadsInTurn = 2;

// An eighth of the shortest timeout, and at most a second: timeouts are late by no more than that.
std::chrono::milliseconds period_for(const Limits& limits) {
  const auto shortest = std::min(
      {limits.request_timeout, limits.idle_timeout, limits.write_timeout, limits.heartbeat});
  return std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds(5),
                                               std::chrono::seconds(1));
}

}  // namespace

Connections::Connections(boost::asio::io_context& io, const Limits& limits)
    : limits_(limits),
      sweep_period_(period_for(limits)),
      mailbox_(std::make_shared<Mailbox>(io)),
      budget_(limits.buffered_bytes),
      sweep_timer_(io) {}

void Connections::open(Socket socket, std::string remote, std::shared_ptr<const Router> router) {
  const bool refused = count_ >= limits_.connections;
  if (count_ >= limits_.connections + kRefusedAtOnce) return;
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket),
                                                       std::move(remote), std::move(router));
  open_.push_back(*connection);
  ++count_;
  arm_sweep();
  if (refused) {
    connection->refuse();
  } else {
    connection->start();
  }
}

void Connections::forget() {
  --count_;
  if (draining_ && count_ == 0) finish_drain();
}

std::string_view Connections::date() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return date_.at(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

// An idle server has nothing to check, and sleeps.
void Connections::arm_sweep() {
  if (sweeping_ || (count_ == 0)) return;
  sweeping_ = true;
  auto wake = now() + sweep_period_;
  if (draining_) wake = std::min(wake, drain_deadline_);
  sweep_timer_.expires_at(wake);
  sweep_timer_.async_wait([self = shared_from_this()](const boost::system::error_code&) {
    self->sweeping_ = false;
    self->sweep();
    self->arm_sweep();
  });
}

void Connections::sweep() {
  const auto time = now();
  if (draining_ && time >= drain_deadline_) return close_all();
  // Collected first: destroying the streams of an expired connection may close other connections.
  std::vector<std::shared_ptr<Connection>> expired;
  for (Connection& connection : open_) {
    connection.look(time - last_look_);
    if (connection.deadline() <= time) expired.push_back(connection.shared_from_this());
  }
  last_look_ = time;
  for (const auto& connection : expired) connection->expire();
  if (budget_.tight()) relieve();
}

void Connections::read_in_turn(std::shared_ptr<Connection> connection) {
  turns_.push_back(std::move(connection));
  if (turns_.size() > 1) return;
  boost::asio::post(sweep_timer_.get_executor(),
                    [self = shared_from_this()] { self->take_turn(); });
}

// Everything else that is ready is served between two turns.
void Connections::take_turn() {
  for (std::size_t i = 0; i < kReadsInTurn && !turns_.empty(); ++i) {
    const auto connection = std::move(turns_.front());
    turns_.pop_front();
    connection->read();
  }
  if (turns_.empty()) return;
  boost::asio::post(sweep_timer_.get_executor(),
                    [self = shared_from_this()] { self->take_turn(); });
}

void Connections::count(std::size_t before, std::size_t now) {
  budget_.change(before, now);
  if (!budget_.exceeded() || relieving_) return;
  relieving_ = true;  // deferred: a connection cannot be closed in the middle of its work
  boost::asio::post(sweep_timer_.get_executor(), [self = shared_from_this()] { self->relieve(); });
}

// Which connections give way, and when: see budget.h.
void Connections::relieve() {
  relieving_ = false;
  for (const auto& connection : snapshot()) connection->free_spare();
  const bool exceeded = budget_.exceeded();
  auto holders = snapshot();
  std::erase_if(holders, [&](const auto& connection) {
    return !exceeded && (!connection->is_slow() || connection->held() <= Budget::kSmall);
  });
  std::ranges::sort(holders, std::greater(), [](const auto& connection) {
    return std::pair(connection->is_slow(), connection->held());
  });
  for (const auto& connection : holders) {
    if (!budget_.tight()) return;
    connection->give_way();
  }
}

std::vector<std::shared_ptr<Connection>> Connections::snapshot() const {
  std::vector<std::shared_ptr<Connection>> all;
  all.reserve(count_);
  for (const Connection& connection : open_) {
    all.push_back(const_cast<Connection&>(connection).shared_from_this());
  }
  return all;
}

void Connections::drain(std::chrono::milliseconds deadline, std::function<void()> done) {
  if (done) drained_.push_back(std::move(done));
  const auto until = now() + deadline;
  drain_deadline_ = draining_ ? std::min(drain_deadline_, until) : until;
  draining_ = true;
  for (const auto& connection : snapshot()) connection->drain();
  if (count_ == 0) return finish_drain();
  sweep_timer_.cancel();  // it rearms itself for the deadline
}

void Connections::finish_drain() {
  for (auto& done : drained_) boost::asio::post(sweep_timer_.get_executor(), std::move(done));
  drained_.clear();
}

void Connections::close_all() {
  for (const auto& connection : snapshot()) connection->close();
  turns_.clear();
  sweep_timer_.cancel();
}

}  // namespace docket::http
