#pragma once

// A kind plans runs: a pure function between what happened and what next. No clock, no I/O, nothing
// remembered beside what it finds in the tree. A happening is a hint: whoever sees the tree and
// nothing else (Look) must come to the same place.
//
// Before a run begins it is the engine's, which queues it, and ends it when it is stopped or late.
// After its end no plan is asked for any more.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/executor.h"
#include "engine/task_tree.h"
#include "engine/wakes.h"
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

// What a plan may see: one run, and the tree below it.
class View {
 public:
  View(const Node& run, const Wakes& wakes, Time now, std::uint64_t draw)
      : run_(run), wakes_(wakes), now_(now), draw_(draw) {}
  const Node& run() const { return run_; }
  const model::Job& job() const { return *run_.job; }
  // Attempts of the run so far, or kAttemptsKept of more.
  std::size_t attempts() const { return run_.children.size(); }
  bool awaits(const std::string& wake) const { return wakes_.find(run_.task.id, wake) != nullptr; }
  Time now() const { return now_; }             // on the clock that the run was made by
  std::uint64_t draw() const { return draw_; }  // uniform over 64 bits

 private:
  const Node& run_;
  const Wakes& wakes_;
  Time now_;
  std::uint64_t draw_;
};

// ---- what happened

struct Placed {};  // the run has its capacity and locks: it begins
struct Ended {     // an attempt is over, and its task has ended
  const AttemptReport& report;
  bool launched = true;  // false: it could not be launched, as the message says, and is no task
};
struct Due {  // a wake-up that was asked for
  std::string_view name;
};
struct Stopping {  // somebody asks the run to end
  std::string_view reason;
};
struct Look {};  // no news: see the tree and go on. Once after a restart, when wake-ups are gone
using Happening = std::variant<Placed, Ended, Due, Stopping, Look>;

// ---- what next

struct Launch {};  // an attempt of the run, which has none that lives
struct Stop {};    // every live attempt is asked to end
struct Finish {    // the end of the run; what lives below it is the engine's to end
  model::State state = model::State::kDone;
  std::string message = {};
};
// One timer for each name; kNever clears it. Not durable. An instant that has passed is due at
// once.
struct Wake {
  std::string name;
  Time at = kNever;          // on the clock that the run was made by
  std::string why = {};      // for people: "the next attempt starts then"
  bool begins_work = false;  // waits while the store is full
};
using Step = std::variant<Launch, Stop, Finish, Wake>;
using Plan = std::vector<Step>;  // in this order

class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::string_view name() const = 0;  // "process"
  // The body of a spec: what a client or the store says of it.
  virtual model::SpecBodyPtr read(JsonReader& in) const = 0;
  // What is wrong with a definition of this kind, whatever door it came through.
  virtual void check(const model::JobDefinition& definition, model::Flaws& flaws) const = 0;
  // What a run needs before it begins.
  virtual model::Demand demand(const model::Job& job) const = 0;
  virtual const std::vector<model::LockWish>& locks(const model::Job& job) const = 0;
  virtual const std::vector<model::Constraint>& constraints(const model::Job& job) const = 0;
  // What next. A step that is not allowed fails the run.
  virtual Plan plan(const View& view, const Happening& happening) const = 0;
  // What the executor of this attempt must be told: when it is launched, and again after a crash if
  // the executor never saw it.
  virtual Result<PayloadPtr> payload(const View& view, TaskId attempt,
                                     const SecretSource& secrets) const = 0;
};

}  // namespace docket::engine
