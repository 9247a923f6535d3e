#pragma once

// Events as a stream without gaps: what the store has after a given event, then live ones. Events a
// client has not read yet are in RecentEvents or in the store; a feed keeps none.
//
// Made, called (next) and destroyed on the engine's strand. A read of the store is in flight only
// while a call of next() is unanswered. It leaves its findings for the next call in Turn, so the
// two threads never use Turn at once.

#include <memory>
#include <optional>
#include <string>

#include "core/ids.h"
#include "dialects/native/recent_events.h"
#include "engine/loop.h"
#include "engine/ports.h"
#include "http/message.h"

namespace docket::native {

struct EventFilter {
  std::optional<TaskId> root;
  std::optional<TaskId> task;
  std::optional<JobUid> job;
  std::string job_id;  // in every life of the job
  bool matches(const model::Event& event) const;
};

class EventFeed final : public http::BodyStream {
 public:
  // `after`: the last event the client has; none: from now on.
  EventFeed(engine::Loop& loop, engine::Archive& archive, std::shared_ptr<RecentEvents> recent,
            EventFilter filter, std::optional<EventSeq> after);
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
  std::string read_recent();
  void read_store(Next done);
  static std::string read_chunk(engine::Reader& reader, const EventFilter& filter, Turn& turn);

  engine::Archive& archive_;
  const EventFilter filter_;
  std::shared_ptr<Turn> turn_;            // shared with the read in flight
  std::shared_ptr<RecentEvents> recent_;  // shared by all feeds
  Next waiting_;
  engine::Loop::Subscription subscription_;
};

}  // namespace docket::native
