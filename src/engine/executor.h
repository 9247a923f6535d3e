#pragma once

// The port to whatever runs attempts: the local runner now; ssh, podman and slurm later.
//
// Five verbs: start, find, stop, logs (files found by token, see log_files), forget. A token is the
// attempt's TaskId. start(token) is idempotent: asked twice, it runs once. A result is kept by the
// executor until forget(token), which the engine sends only when the result is on disk. All calls
// and all listener calls happen on the engine's strand; none blocks.

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

namespace docket::engine {

// Everything an executor needs to run one attempt: plain data of a type that kinds and executors
// agree on (exec/NAME/launch.h), and that nobody between them looks into. May hold secret values,
// in memory only: never logged, never on disk.
class Payload {
 public:
  virtual ~Payload() = default;
};
using PayloadPtr = std::shared_ptr<const Payload>;  // by ticks that are tried again

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
};

// What is said of a lost attempt where the executor says nothing.
inline constexpr const char* kOutcomeUnknown =
    "The outcome is not known: nobody can tell any more how the attempt ended";

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
  bool succeeded() const {
    return phase == AttemptPhase::kExited && signal == 0 && exit_code == 0 && message.empty();
  }
};

class ExecutorListener {
 public:
  virtual ~ExecutorListener() = default;
  // A change of phase, reported at least once for kRunning and kExited; may repeat after
  // reconnects. kUnknown: an attempt that it was told to start is not there, and not on its way.
  virtual void on_attempt(const AttemptReport& report) = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  virtual void set_listener(ExecutorListener* listener) = 0;
  // A payload that it cannot carry out ends the attempt, with a message.
  virtual void start(TaskId token, const PayloadPtr& payload) = 0;
  // Asks the process group to end: SIGTERM, SIGKILL after grace (the spec's when absent). Unknown
  // tokens are ignored.
  virtual void stop(TaskId token, std::optional<Duration> grace) = 0;
  virtual void forget(const std::vector<TaskId>& tokens) = 0;
  // Reports one AttemptReport for each token, in order, once the executor is reachable.
  virtual void find(std::vector<TaskId> tokens,
                    std::function<void(Result<std::vector<AttemptReport>>)> done) = 0;
};

}  // namespace docket::engine
