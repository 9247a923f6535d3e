#pragma once

// An append-only fact: a change of a task, or of a job's definition. Durable in the same commit as
// the change it records.

#include <cstdint>
#include <memory>
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
  kTaskNote,        // a remark of its reporter
};
const char* name_of(EventType type);  // "job_created", "run_changed", ...

// What is said of an event beyond its message; kept beside the log, so that lists stay short.
struct EventDetail {
  std::string resource;       // what it is about: a path, a package
  bool changes = false;       // whether that was changed
  std::string before, after;  // how it was and is: JSON objects; empty: not given
  std::string traceback;      // of a failure
  bool operator==(const EventDetail&) const = default;
};

// What a kind, an executor or a reporter says of a task.
struct NoteText {
  std::string message;       // free text for people
  std::string subtype = {};  // in the words of the kind: "check/file-contents"
  std::shared_ptr<const EventDetail> detail = {};  // null: none; shared on its way to the store
  bool operator==(const NoteText& other) const {
    const bool same = detail && other.detail ? *detail == *other.detail : detail == other.detail;
    return same && message == other.message && subtype == other.subtype;
  }
};

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
  std::string subtype = {};
  // Set when an event is written, if there is any. Readers return it for one event, not in lists.
  std::shared_ptr<const EventDetail> detail = {};
};

}  // namespace docket::model
