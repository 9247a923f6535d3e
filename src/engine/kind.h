#pragma once

// A kind answers one question: given a run, its attempts and what just happened, what next? Pure:
// no clock, no I/O.

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "engine/executor.h"
#include "model/flaws.h"
#include "model/job.h"
#include "model/needs.h"
#include "model/task.h"

namespace docket::engine {

// Secret values by source path; the engine's vault answers.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  virtual Result<std::string> secret(const std::string& path) const = 0;
};

struct Launch {
  PayloadPtr payload;
};  // start a new attempt
struct Retry {
  Duration after;
};  // begin() anew when so long has passed; capacity and locks stay with the run
struct Succeed {};  // the run is done
struct Fail {
  std::string message;
};  // the run has failed
using Step = std::variant<Launch, Succeed, Fail, Retry>;

class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::string_view name() const = 0;  // "process"
  // The body of a spec: what a client or the store says of it.
  virtual model::SpecBodyPtr read(JsonReader& in) const = 0;
  // What is wrong with a definition of this kind, whatever door it came through.
  virtual void check(const model::JobDefinition& definition, model::Flaws& flaws) const = 0;
  virtual model::Demand demand(const model::Job& job) const = 0;
  virtual const std::vector<model::LockWish>& locks(const model::Job& job) const = 0;
  virtual const std::vector<model::Constraint>& constraints(const model::Job& job) const = 0;
  // How long a run may take from its start, if there is a limit.
  virtual std::optional<Duration> timeout(const model::Job& job) const = 0;
  // The run has its capacity and locks: what to do first, and after a Retry. `attempt` is the token
  // a Launch would get.
  virtual Step begin(const model::Job& job, const model::Task& run, TaskId attempt,
                     const SecretSource& secrets) const = 0;
  // An attempt ended (or was lost); the run was not asked to stop. `attempts` there were so far, or
  // kAttemptsKept of more; `draw` is uniform over 64 bits. `now` is on the clock that the run was
  // made by, if that was set since.
  virtual Step attempt_ended(const model::Job& job, const model::Task& run,
                             const AttemptReport& report, std::size_t attempts, std::uint64_t draw,
                             Time now) const = 0;
};

}  // namespace docket::engine
