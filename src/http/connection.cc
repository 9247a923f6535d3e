#include "http/connection.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "http/connections.h"
#include "http/envelope.h"
#include "http/exchange.h"
#include "http/target.h"
#include "http/wire.h"

namespace docket::http {
namespace {

using boost::system::error_code;
namespace asio = boost::asio;

// The size of the first reads, while a client has not sent much: nearly every request is smaller.
constexpr std::size_t kFirstRead = 16 * 1024;
// The most input kept while an answer is outstanding.
constexpr std::size_t kPipelineBytes = 64 * 1024;
// The most input read and discarded after a final answer.
constexpr std::size_t kDiscardBytes = 32 * 1024 * 1024;
// The most that the kernel buffers for a client that does not read, instead of megabytes.
constexpr int kUnsentBytes = 128 * 1024;
// Buffers of quiet connections shrink to this.
constexpr std::size_t kKeptCapacity = 16 * 1024;

void free_buffer(std::string& buffer) { std::string().swap(buffer); }

void empty_buffer(std::string& buffer) {
  buffer.clear();
  if (buffer.capacity() > kKeptCapacity) free_buffer(buffer);
}

}  // namespace

Connection::Connection(std::shared_ptr<Connections> home, Socket socket, std::string remote,
                       std::shared_ptr<const Router> router)
    : home_(std::move(home)),
      router_(std::move(router)),
      socket_(std::move(socket)),
      remote_(std::move(remote)),
      peer_(socket_.native_handle()),
      parser_(home_->limits().header_bytes) {}

void Connection::start() {
  self_ = shared_from_this();
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes,
               sizeof kUnsentBytes);
  socket_.non_blocking(true, ignored);
  settle();
}

void Connection::refuse() {
  self_ = shared_from_this();
  error_code ignored;
  socket_.non_blocking(true, ignored);
  fail(503);
  settle();
}

void Connection::watch_input() {
  if (waiting_input_ || input_ended_ || phase_ == Phase::kClosed) return;
  if (in_.size() > home_->limits().header_bytes + kPipelineBytes) return;
  const bool ahead = !in_.empty() && (phase_ != Phase::kReading || waiting_output_);
  if (ahead && home_->budget().tight()) return;
  waiting_input_ = true;
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (ec) self->waiting_input_ = false;
    if (!ec && self->phase_ != Phase::kClosed) self->on_readable();
  });
}

// Connections that send much read in turn, so that together they do not keep small requests
// waiting.
void Connection::on_readable() { is_bulk() ? home_->read_in_turn(shared_from_this()) : read(); }

bool Connection::is_bulk() const {
  return phase_ == Phase::kLingering || phase_ == Phase::kClosing ||
         parser_.held() > kFirstRead / 2;
}

void Connection::read() {
  if (phase_ == Phase::kClosed) return;
  waiting_input_ = false;
  error_code ec;
  const auto scratch = home_->scratch();
  const auto most = is_bulk() ? scratch.size() : kFirstRead;
  const auto size = socket_.read_some(asio::buffer(scratch.data(), most), ec);
  if (ec == asio::error::would_block) return watch_input();
  if (ec == asio::error::eof) return on_end_of_input();
  if (ec) return close();
  moved_ += size;
  const std::string_view fresh(scratch.data(), size);
  if (phase_ == Phase::kReading && !waiting_output_) return proceed(fresh);
  if (phase_ == Phase::kLingering || phase_ == Phase::kClosing) {
    discarded_ += size;
    if (discarded_ > kDiscardBytes) return close();
  } else {
    in_.append(fresh);
    account();
  }
  watch_input();
}

void Connection::on_end_of_input() {
  input_ended_ = true;
  // A client may close its sending half after the request and still wait for the answer; the client
  // of a stream has no reason to.
  const bool idle = phase_ == Phase::kReading && !waiting_output_;
  if (idle || phase_ == Phase::kStreaming || phase_ == Phase::kLingering) return close();
  if (gone_) probe_peer();
}

// If the peer's process is gone, its kernel answers anything with a reset (see Reply::on_gone).
void Connection::probe_peer() {
  if (http10_) return close();
  out_.append("HTTP/1.1 100 Continue\r\n\r\n");
  if (!consuming_) flush();
  if (waiting_reset_ || phase_ == Phase::kClosed) return;
  waiting_reset_ = true;
  socket_.async_wait(Socket::wait_error,
                     [self = shared_from_this()](const error_code&) { self->close(); });
}

bool Connection::tell_when_gone(std::uint64_t exchange, Reply::Gone& gone) {
  if (exchange != exchange_ || phase_ != Phase::kHandling) return false;
  gone_ = std::make_unique<Reply::Gone>(std::move(gone));
  if (input_ended_) probe_peer();
  return true;
}

void Connection::proceed(std::string_view fresh) {
  if (in_.empty()) {
    const auto used = consume(fresh);
    in_.assign(fresh.substr(used));
  } else {
    in_.append(fresh);
    const auto used = consume(in_);
    in_.erase(0, used);
  }
  // A head of that size has already failed; this is an endless chunk extension or trailer.
  const bool stuck = phase_ == Phase::kReading && !waiting_output_;
  if (stuck && in_.size() > home_->limits().header_bytes) fail(400);
  account();
  if (is_refused_for_size()) fail(503);
  settle();
}

std::size_t Connection::consume(std::string_view bytes) {
  std::size_t used = 0;
  consuming_ = true;
  while (phase_ == Phase::kReading) {
    // A large body must be written before another head is put into out_.
    if ((!body_.empty() || unsent() > kCoalesceBytes) && !flush()) break;
    const auto fed = parser_.feed(bytes.substr(used));
    used += fed.used;
    if (!advance(fed.step)) break;
  }
  consuming_ = false;
  return used;
}

bool Connection::advance(RequestParser::Step step) {
  switch (step) {
    case RequestParser::Step::kMore:
      return false;
    case RequestParser::Step::kHead:
      on_head();
      return true;
    case RequestParser::Step::kComplete:
      on_request();
      return true;
    case RequestParser::Step::kFailed:
      fail(parser_.failure());
      return true;
  }
  return false;
}

void Connection::on_head() {
  ++exchange_;
  http10_ = parser_.http10();
  last_ = !parser_.keep_alive();
  refusal_ = route_request();
  const bool stranger = refusal_.status != 0 && !parser_.request().identity;
  if (stranger && parser_.has_body()) return fail(refusal_);  // none of it is read
  const std::size_t limit = match_.door->body_limit;
  if (parser_.body_size().value_or(0) > limit) return fail(413);
  if (!parser_.has_body()) return;
  const bool kept = refusal_.status == 0 && keeps_body(*match_.route, parser_.request());
  if (kept && !home_->budget().has_room(parser_.body_size().value_or(0))) return fail(503);
  parser_.expect_body(limit, kept ? RequestParser::Body::kKeep : RequestParser::Body::kDrop);
  if (!parser_.expects_continue() || http10_) return;
  // A client that was refused may or may not send its body now, so its next bytes cannot be
  // trusted.
  if (refusal_.status != 0) return fail(refusal_);
  out_.append("HTTP/1.1 100 Continue\r\n\r\n");
}

// Fills match_ and query_.
Refusal Connection::route_request() {
  query_.clear();
  Request& request = parser_.request();
  const auto target = split_target(parser_.target());
  path_.assign(target ? target->path : std::string_view());
  match_ = router_->match(request.method, target ? target->path : std::string_view());
  if (auto no = home_->admission().check(match_, request, peer_, home_->now()); no.status != 0)
    return no;
  if (!target) return request.method == "OPTIONS" || request.method == "CONNECT" ? 404 : 400;
  if (match_.status != 200) return match_.status;
  if (!target->query.empty()) {
    auto query = parse_query(target->query);
    if (!query) return 400;
    query_ = *std::move(query);
  }
  return body_refusal(*match_.route, request, parser_.has_body());
}

void Connection::on_request() {
  request_timed_ = false;
  if (refusal_.status != 0) {
    respond_failure(refusal_);
  } else {
    call_handler();
  }
  parser_.reset();
}

void Connection::call_handler() {
  phase_ = Phase::kHandling;
  deadline_ = SteadyTime::max();
  Request request = std::move(parser_.request());
  if (match_.head) request.method = "GET";
  request.path = std::move(match_.path);
  request.params = std::move(match_.params);
  request.query = std::move(query_);
  request.remote = remote_;
  try {
    match_.route->handler(std::move(request),
                          make_reply(home_->mailbox(), weak_from_this(), exchange_));
  } catch (...) {
    // Any Reply that the handler kept is stale from here on.
    if (phase_ == Phase::kHandling) respond_failure(500);
  }
}

std::size_t Connection::unsent() const { return out_.size() + body_.size() - sent_; }

bool Connection::flush() {
  if (waiting_output_) return false;
  while (unsent() > 0) {
    const auto head_sent = std::min(sent_, out_.size());
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(out_) + head_sent,
                                                    asio::buffer(body_) + (sent_ - head_sent)};
    error_code ec;
    const auto written = socket_.write_some(buffers, ec);
    sent_ += written;
    moved_ += written;
    if (ec == asio::error::would_block) {
      wait_writable();
      return false;
    }
    if (ec) {
      close();
      return false;
    }
  }
  empty_buffer(out_);
  empty_buffer(body_);
  sent_ = 0;
  drained_by_ = SteadyTime::max();
  account();
  return true;
}

void Connection::wait_writable() {
  waiting_output_ = true;
  const auto patience = home_->now() + home_->limits().write_timeout;
  if (drained_by_ == SteadyTime::max()) drained_by_ = patience + Budget::time_for(unsent());
  deadline_ = std::min(patience, drained_by_);
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const error_code& ec) {
    self->waiting_output_ = false;
    if (ec || self->phase_ == Phase::kClosed) return;
    if (self->flush()) self->proceed({});
  });
}

// Writes what is pending, and arranges the next step.
void Connection::settle() {
  if (phase_ == Phase::kClosed) return;
  if (!flush()) return watch_input();
  switch (phase_) {
    case Phase::kReading:
      if (input_ended_) return close();
      set_reading_deadline();
      return watch_input();
    case Phase::kHandling:
      deadline_ = SteadyTime::max();
      return watch_input();
    case Phase::kStreaming:
      deadline_ = home_->now() + home_->limits().heartbeat;
      pull_stream();
      if (unsent() > 0 || phase_ != Phase::kStreaming) later();
      return watch_input();
    case Phase::kClosing:
      return linger_ ? begin_linger() : close();
    case Phase::kLingering:
    case Phase::kClosed:
      return;
  }
}

void Connection::set_reading_deadline() {
  const bool idle = in_.empty() && parser_.idle();
  if (!idle && request_timed_) return;
  if (idle && home_->draining()) return close();
  request_timed_ = !idle;
  const auto& limits = home_->limits();
  deadline_ = home_->now() + (idle ? limits.idle_timeout : limits.request_timeout);
}

// Closing with unread input makes the kernel send a reset, which can overtake the answer.
void Connection::begin_linger() {
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  phase_ = Phase::kLingering;
  deadline_ = home_->now() + home_->limits().request_timeout;
  free_buffer(in_);
  parser_.reset();
  account();
  if (input_ended_) return close();
  watch_input();
}

// Continues after other connections have had a turn; also bounds recursion.
void Connection::later() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->phase_ != Phase::kClosed) self->proceed({});
  });
}

void Connection::expire() {
  deadline_ = SteadyTime::max();
  if (waiting_output_ || phase_ == Phase::kLingering) return close();
  if (phase_ == Phase::kStreaming) {
    append_stream_data(stream_->heartbeat());
    return settle();
  }
  if (phase_ != Phase::kReading) return;
  if (!request_timed_) return close();
  fail(408);
  settle();
}

void Connection::account() {
  if (phase_ == Phase::kClosed) return;
  const auto now = in_.capacity() + out_.capacity() + body_.capacity() + parser_.held();
  if (now != held_) home_->count(std::exchange(held_, now), now);
}

// Whether the request being read, if any, is too large for the budget.
bool Connection::is_refused_for_size() const {
  if (phase_ != Phase::kReading || waiting_output_) return false;
  if (in_.empty() && parser_.idle()) return false;
  return !home_->budget().admits(in_.capacity() + parser_.held());
}

void Connection::look(std::chrono::nanoseconds since_last) {
  const bool slow = Budget::is_slow(std::exchange(moved_, 0), since_last);
  slow_looks_ = !slow ? 0 : (slow_looks_ == 0 ? 1 : 2);
}

void Connection::free_spare() {
  if (in_.empty()) free_buffer(in_);
  if (unsent() == 0) {
    free_buffer(out_);
    free_buffer(body_);
  }
  account();
}

void Connection::give_way() {
  const bool in_request = phase_ == Phase::kReading && !(in_.empty() && parser_.idle());
  if (!in_request || waiting_output_) return close();
  fail(503);
  settle();
}

void Connection::drain() {
  last_ = true;
  const bool live = phase_ == Phase::kStreaming && !stream_->heartbeat().empty();
  if (live) {
    on_chunk(Chunk{});
    settle();
  } else if (phase_ == Phase::kReading && !waiting_output_ && in_.empty() && parser_.idle()) {
    close();
  }
}

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  ++exchange_;
  error_code ignored;
  const auto gone = std::move(gone_);
  retire_stream();
  socket_.close(ignored);
  const auto self = std::move(self_);
  unlink();
  home_->count(held_, 0);
  held_ = 0;
  home_->forget();
  if (gone) (*gone)();
}

}  // namespace docket::http
