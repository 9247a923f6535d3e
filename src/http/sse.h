#pragma once

// Server-Sent Events: a bounded queue between a source of events and one client's connection.
//
//   auto channel = std::make_shared<EventChannel>(EventChannel::Limits{});
//   subscribers.push_back(channel);  // as weak_ptr: the connection owns the channel
//   reply(event_stream(channel));
//   ...
//   if (auto open = subscriber.lock(); !open || !open->push("job_update", "17", json))
//     forget(subscriber);
//
// Any thread may push and close. Tested by sse_test.cc.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "http/message.h"

namespace docket::http {

// One event as it goes over the wire; empty event and id are left out. Line breaks in data become
// several data lines, as the format demands; event and id are cut at a line break.
std::string format_event(std::string_view event, std::string_view id, std::string_view data);

class EventChannel final : public BodyStream {
 public:
  // How far a client may fall behind. Beyond that it is told so in a comment and disconnected, so
  // that it reconnects and catches up by id instead of silently missing events.
  struct Limits {
    std::size_t events = 1024;
    std::size_t bytes = 1 << 20;
  };

  explicit EventChannel(Limits limits) : limits_(limits) {}

  // False if the channel is closed or has overflowed: nothing pushed will arrive any more.
  bool push(std::string_view event, std::string_view id, std::string_view data);
  // An event rendered by format_event, once for all of its subscribers.
  bool push_rendered(std::string_view text);
  // Ends the stream after what is already queued.
  void close();

  void next(Next done) override;
  std::string heartbeat() const override { return ":\n\n"; }

 private:
  const Limits limits_;
  std::mutex mutex_;  // guards what follows
  std::string queued_;
  std::size_t queued_events_ = 0;
  bool closed_ = false;
  Next waiting_;
};

// A 200 that streams the channel, with headers that keep caches and proxies from holding events
// back.
Response event_stream(std::shared_ptr<EventChannel> channel);

}  // namespace docket::http
