#include "http/sse.h"

#include <utility>

namespace docket::http {
namespace {

constexpr std::string_view kLineBreaks("\r\n\0",
                                       3);  // NUL: browsers ignore an id that contains one

void append_line(std::string& out, std::string_view field, std::string_view value) {
  if (!value.empty()) {
    out.append(field).append(": ").append(value.substr(0, value.find_first_of(kLineBreaks)));
    out.append("\n");
  }
}

void append_data(std::string& out, std::string_view data) {
  for (;;) {
    const auto end = data.find_first_of("\r\n");
    out.append("data: ").append(data.substr(0, end)).append("\n");
    if (end == std::string_view::npos) return;
    const bool pair = data.substr(end).starts_with("\r\n");
    data.remove_prefix(end + (pair ? 2 : 1));
  }
}

}  // namespace

std::string format_event(std::string_view event, std::string_view id, std::string_view data) {
  std::string out;
  out.reserve(event.size() + id.size() + data.size() + 32);
  append_line(out, "event", event);
  append_line(out, "id", id);
  append_data(out, data);
  out.append("\n");
  return out;
}

bool EventChannel::push(std::string_view event, std::string_view id, std::string_view data) {
  return push_rendered(format_event(event, id, data));
}

bool EventChannel::push_rendered(std::string_view text) {
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  if (waiting_) {
    // Outside the lock: the connection may call back at once.
    const auto done = std::exchange(waiting_, nullptr);
    lock.unlock();
    done(std::string(text));
    return true;
  }
  if (queued_events_ >= limits_.events || queued_.size() + text.size() > limits_.bytes) {
    queued_ =
        ": disconnected after falling " + std::to_string(queued_events_) + " events behind\n\n";
    closed_ = true;
    return false;
  }
  queued_.append(text);
  ++queued_events_;
  return true;
}

void EventChannel::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  const auto done = std::exchange(waiting_, nullptr);
  lock.unlock();
  if (done) done(std::nullopt);
}

void EventChannel::next(Next done) {
  std::unique_lock lock(mutex_);
  if (queued_.empty() && !closed_) {
    waiting_ = std::move(done);
    return;
  }
  std::optional<std::string> chunk;
  if (!queued_.empty()) chunk = std::exchange(queued_, std::string());
  queued_events_ = 0;
  lock.unlock();
  done(std::move(chunk));
}

Response event_stream(std::shared_ptr<EventChannel> channel) {
  Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = std::move(channel);
  return response;
}

}  // namespace docket::http
