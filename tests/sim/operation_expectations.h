#pragma once

// What reporters of operations, and clients that tend them, may rely on: nothing that was
// acknowledged is lost, neither a task, nor its progress, nor its end.

#include <map>
#include <optional>
#include <set>
#include <string>

#include "sim/record.h"
#include "sim/verdict.h"
#include "store/memory/memory_store.h"

namespace docket::sim {

class OperationExpectations {
 public:
  OperationExpectations(const Record& record, Verdict& verdict)
      : record_(record), verdict_(verdict) {}

  struct End {
    model::State state;
    std::string message;
  };
  // Each is called when the client gets its answer: it must be durable now, and stay.
  void created(TaskId id, const model::Operation& what);
  void begun(TaskId id);
  void progressed(TaskId id, double completed);
  void noted(const std::string& text);
  void ended(TaskId id, const End& end);
  void asked_to_stop(TaskId id);
  void dropped(const std::set<TaskId>& lived);  // with their module
  void unlisted(TaskId id, const store::MemoryState& state);
  // Nothing in the module that had ended by then is listed.
  void drained(const std::string& module, EventSeq then, const store::MemoryState& state);

  // Checks all of it on this disk.
  void check(const store::MemoryState& state);

 private:
  struct Promise {
    double completed = 0;
    bool begun = false;
    bool stopping = false;
    bool ended = false;
    std::optional<End> end;
  };
  void check(TaskId id, const Promise& promise, const model::Task& task);
  void check_recorded(TaskId id);

  const Record& record_;
  Verdict& verdict_;
  std::map<TaskId, Promise> promises_;
  std::map<EventSeq, std::pair<TaskId, Time>> notes_;
};

}  // namespace docket::sim
