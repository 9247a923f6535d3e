#pragma once

// Events as a stream that misses nothing: what is in the store after a given event, then live ones.
// A client that reads slowly is caught up from the store again, so a feed holds kBuffered events at
// most, whatever the client does.
//
// Made, asked (next) and destroyed on the engine's strand. A read of the store is in flight only
// while next() has not answered; what it found out passes to the next call through Turn, so the two
// threads never touch it at once.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "engine/loop.h"
#include "engine/ports.h"
#include "http/message.h"

namespace docket::native {

struct EventFilter {
  std::optional<TaskId> root;
  std::optional<TaskId> task;
  std::optional<JobUid> job;
  std::string job_id;  // every life of the job
  bool matches(const model::Event& event) const;
};

class EventFeed final : public http::BodyStream {
 public:
  static constexpr std::size_t kBuffered = 256;

  // `after`: the last event the client has; none: from now on.
  EventFeed(engine::Loop& loop, engine::Archive& archive, EventFilter filter,
            std::optional<EventSeq> after);
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void next(Next done) override;
  std::string heartbeat() const override { return ":\n\n"; }

 private:
  struct Turn {
    EventSeq sent;           // everything up to here is on its way to the client
    bool caught_up = false;  // the store had nothing more
  };
  void on_notice(const engine::Notice& notice);
  void read_store(Next done);
  static std::string read_chunk(engine::Reader& reader, const EventFilter& filter, Turn& turn);

  engine::Archive& archive_;
  const EventFilter filter_;
  std::shared_ptr<Turn> turn_;  // shared with the read in flight
  std::vector<engine::Notice> buffer_;
  bool overflowed_ = false;  // events after the buffered ones were let go: they are in the store
  Next waiting_;
  engine::Loop::Subscription subscription_;
};

}  // namespace docket::native
