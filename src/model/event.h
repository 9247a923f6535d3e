#pragma once

// An append-only fact: a change of a task, or of a job's definition. Durable in the same commit as
// the change it tells.

#include <cstdint>
#include <string>

#include "core/ids.h"
#include "core/time.h"
#include "model/task.h"

namespace docket::model {

enum class EventType : std::uint8_t {
  kJobCreated,
  kJobUpdated,
  kJobDeleted,
  kRunCreated,
  kRunChanged,      // before/after are states; kStopping when asked to end
  kAttemptChanged,  // the same for an attempt; kRunning carries no message, an end may
  kTaskCreated,     // an operation
  kTaskChanged,     // its state, or that it was asked to stop
  kTaskNote,        // what its reporter wanted to say
};
const char* name_of(EventType type);  // "job_created", "run_changed", ...

struct Event {
  EventSeq seq;
  Time at = kNever;
  EventType type = EventType::kRunChanged;
  JobUid job;
  TaskId task;  // none for job events
  TaskId root;
  State before = State::kCreated;
  State after = State::kCreated;
  std::string job_id;   // the job's id then; events outlive jobs
  std::string message;  // free text for people
};

}  // namespace docket::model
