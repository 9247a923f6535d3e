// The answering half of a connection: turns a Response, a failure or a stream's chunks into bytes
// in its output buffer.

#include <boost/asio/post.hpp>
#include <utility>
#include <variant>

#include "http/connection.h"
#include "http/connections.h"
#include "http/envelope.h"
#include "http/exchange.h"
#include "http/wire.h"

namespace docket::http {
namespace {

namespace asio = boost::asio;

// Smaller bodies are copied after their head, which is cheaper than a second buffer for the kernel.
constexpr std::size_t kCopiedBody = 16 * 1024;

}  // namespace

void Connection::deliver(std::uint64_t exchange, Content content) {
  if (exchange != exchange_) return;
  if (auto* chunk = std::get_if<Chunk>(&content)) {
    if (phase_ != Phase::kStreaming || !chunk_owed_) return;
    on_chunk(std::move(*chunk));
    // Not at once: a source must not be asked for the next chunk while it is delivering one.
    return pulling_ ? void() : later();
  }
  if (phase_ != Phase::kHandling) return;
  if (auto* response = std::get_if<Response>(&content)) {
    respond(std::move(*response));
  } else {
    respond_failure(500);
  }
  if (!consuming_) proceed({});
}

void Connection::respond(Response response) {
  if (is_refused_for_size(response)) return respond_failure(503);
  gone_.reset();
  if (home_->draining()) last_ = true;
  const bool bodiless = match_.head || !may_have_body(response.status);
  auto stream = std::move(response.stream);
  HeadOptions options{.server = match_.door->server_header, .date = home_->date()};
  if (stream) options.form = http10_ ? BodyForm::kUntilClose : BodyForm::kChunked;
  if (stream && !bodiless && http10_) last_ = true;
  options.close = last_;
  options.http10 = http10_;
  append_head(out_, response, options);
  if (bodiless || !stream) {
    if (!bodiless) append_body(std::move(response.body));
    return end_response();
  }
  stream_chunked_ = !http10_;
  stream_ = std::move(stream);
  chunk_owed_ = false;
  phase_ = Phase::kStreaming;
  deadline_ = home_->now() + home_->limits().heartbeat;
}

// An answer that reports a change is sent whatever its size.
bool Connection::is_refused_for_size(const Response& response) const {
  return !home_->budget().has_room(response.body.capacity()) && match_.route &&
         match_.route->method == "GET";
}

void Connection::respond_failure(const Refusal& why) {
  Response response = render_failure(
      *match_.door,
      {.status = why.status, .message = why.message, .path = path_, .at_gate = why.at_gate});
  if (!why.permission.empty()) response.headers.emplace_back(kPermissionHeader, why.permission);
  if (why.status == 405) response.headers.emplace_back("Allow", match_.allow);
  const int retry_after = match_.door->retry_after_s;
  if (why.status == 503 && retry_after > 0) {
    response.headers.emplace_back("Retry-After", std::to_string(retry_after));
  }
  respond(std::move(response));
}

void Connection::fail(const Refusal& why) {
  if (!match_.door) match_.door = &router_->fallback();
  last_ = linger_ = true;
  respond_failure(why);
}

void Connection::end_response() {
  phase_ = last_ ? Phase::kClosing : Phase::kReading;
  match_ = Match();
  path_.clear();
}

void Connection::append_body(std::string body) {
  if (body.size() <= kCopiedBody) {
    out_.append(body);
  } else {
    body_ = std::move(body);
  }
}

void Connection::on_chunk(Chunk chunk) {
  chunk_owed_ = false;
  if (chunk.data) return append_stream_data(*chunk.data);
  if (stream_chunked_) append_last_chunk(out_);
  retire_stream();
  end_response();
}

void Connection::append_stream_data(std::string_view data) {
  if (data.empty()) return;
  if (stream_chunked_) {
    append_chunk(out_, data);
  } else {
    out_.append(data);
  }
}

void Connection::pull_stream() {
  pulling_ = true;
  const auto enough = home_->budget().tight() ? 1 : kCoalesceBytes;
  while (phase_ == Phase::kStreaming && !chunk_owed_ && unsent() < enough) {
    chunk_owed_ = true;
    try {
      stream_->next(make_next(home_->mailbox(), weak_from_this(), exchange_));
    } catch (...) {
      close();  // without a last chunk, so the client sees that the body is truncated
    }
  }
  pulling_ = false;
}

// The stream may be ending itself further up the stack, so it is released once the stack has
// unwound.
void Connection::retire_stream() {
  if (stream_) asio::post(socket_.get_executor(), [stream = std::move(stream_)] {});
}

}  // namespace docket::http
