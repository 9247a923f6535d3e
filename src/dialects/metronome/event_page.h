#pragma once

// The engine's event log as this API shows it (metronome.md section 10), as Server-Sent Events. For
// the archive's threads.

#include <string>

#include "engine/store.h"
#include "http/access.h"

namespace docket::metronome {

// "job_created" and so on; null for events that show nothing new through this API.
const char* event_name(const model::Event& event);

struct EventPage {
  std::string text;   // any number of events in wire form, with their numbers as ids
  EventSeq last;      // the last event examined, shown or not
  bool full = false;  // there may be more
};
// Events of jobs that the caller may read.
Result<EventPage> read_event_page(engine::Reader& reader, EventSeq after,
                                  const http::Identity& caller);

}  // namespace docket::metronome
