#pragma once

// The port to whatever runs attempts: the local runner, and others by name (executors.h).
//
// A token is the attempt's TaskId. start(token) is idempotent: asked twice, it runs once. An end is
// kept by the executor until forget(token), which the engine sends only when the end is on disk.
// Executors number what they report besides phases, and repeats are dropped by their number. So
// executors may repeat themselves, and a crash of either side is a reconnect. Figures are written
// once a second at most; those that were not written are reported again after a crash. Every
// executor passes tests/conformance/executors.
//
// All calls and all listener calls happen on the engine's strand, none from within another, and
// none blocks.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "model/event.h"

namespace docket::engine {

class Archive;
class Logs;

// Everything an executor needs to run one attempt: plain data of a type that kinds and executors
// agree on (exec/NAME/launch.h), and that nobody between them looks into. May hold secret values,
// in memory only: never logged, never on disk.
class Payload {
 public:
  virtual ~Payload() = default;
};
using PayloadPtr = std::shared_ptr<const Payload>;  // shared with ticks that are tried again

template <class T>
struct PayloadOf final : Payload {
  explicit PayloadOf(T made) : value(std::move(made)) {}
  T value;
};
template <class T>
PayloadPtr payload_of(T value) {
  return std::make_shared<const PayloadOf<T>>(std::move(value));
}
// Null: the payload is of another type.
template <class T>
const T* get_if(const PayloadPtr& payload) {
  const auto* of_type = dynamic_cast<const PayloadOf<T>*>(payload.get());
  return of_type ? &of_type->value : nullptr;
}

enum class AttemptPhase {
  kUnknown,   // this executor never saw the token: starting it is safe
  kStarting,  // accepted; fetching artifacts or waiting to spawn
  kRunning,
  kExited,
  kLost,  // it was started, but its outcome cannot be known any more (the machine went down)
  // Only in answer to find: not known now. The attempt counts as alive until a report says more.
  kOutOfReach,
};

// The message of a lost attempt where the executor gives none.
inline constexpr const char* kOutcomeUnknown =
    "The outcome is not known: there is no record left of how the attempt ended";

struct AttemptReport {
  TaskId token;
  AttemptPhase phase = AttemptPhase::kUnknown;
  Time started_at = kNever;  // exec of the command
  Time finished_at = kNever;
  int exit_code = 0;    // valid when kExited and signal == 0
  int signal = 0;       // the signal that ended it, 0 if it exited by itself
  bool oom = false;     // the kernel killed it for memory
  std::string message;  // why it failed, when an exit code does not say: "command not found",
                        // "artifact ..."
  // Rises with each report of an attempt that says more than a phase: any of the members below. 0:
  // only a phase, which may repeat.
  std::uint64_t seq = 0;
  std::vector<model::NoteText> notes = {};       // events of the run or step, oldest first
  std::optional<model::Progress> progress = {};  // of the run or step
  std::string facts = {};                        // a JSON object, see kFactsMax; empty: as before
  std::string result = {};  // JSON, of the run or step; at most kResultMax bytes; empty: none
  bool succeeded() const {
    return phase == AttemptPhase::kExited && signal == 0 && exit_code == 0 && message.empty();
  }
};

class ExecutorListener {
 public:
  virtual ~ExecutorListener() = default;
  // A change of phase, reported at least once for kRunning and kExited; may repeat after
  // reconnects. kUnknown: the executor was told to start the attempt, but does not have it and is
  // not starting it. Reports about tokens of other executors are ignored.
  virtual void on_attempt(const AttemptReport& report) = 0;
};

// An attempt to find, and the newest of its reports that was taken.
struct AttemptQuery {
  TaskId token;
  std::uint64_t seq = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  // Sets the listener (null: none) and the epoch, which rises with each start of a server. Once an
  // executor serves an epoch, it does nothing that an earlier one asks for.
  virtual void attach(ExecutorListener* listener, std::uint64_t epoch) = 0;
  // A payload that it cannot carry out ends the attempt, with a message.
  virtual void start(TaskId token, const PayloadPtr& payload) = 0;
  // Asks the process group to end: SIGTERM, SIGKILL after grace (the spec's when absent). Unknown
  // tokens are ignored.
  virtual void stop(TaskId token, std::optional<Duration> grace) = 0;
  virtual void forget(const std::vector<TaskId>& tokens) = 0;
  // Answers with one AttemptReport for each, in order; reports after `seq` follow, or are
  // repeated. Serving begins when every executor has answered: one that cannot answer now says
  // kOutOfReach.
  virtual void find(std::vector<AttemptQuery> attempts,
                    std::function<void(Result<std::vector<AttemptReport>>)> done) = 0;
  // The report of this number is on disk, and so are those before it.
  virtual void taken(TaskId token, std::uint64_t seq) {
    static_cast<void>(token);
    static_cast<void>(seq);
  }
  // What its attempts wrote; null: they write nothing. Lives as long as the executor.
  virtual Logs* logs() { return nullptr; }
  // From now on removes, now and then, what it keeps of attempts that the store has forgotten.
  virtual void sweep(Archive& archive) { static_cast<void>(archive); }
};

}  // namespace docket::engine
