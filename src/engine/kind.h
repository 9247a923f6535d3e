#pragma once

// A kind plans runs: a pure function from what happened to what comes next. No clock, no I/O, and
// no memory but what it finds in the tree. A happening is only a hint: a kind that sees the tree
// and nothing else (Look) must come to the same plan.
//
// Until a run begins, the engine queues it, and ends it when it is stopped or late. After its end
// no plan is asked for any more.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/executor.h"
#include "engine/targets.h"
#include "engine/task_tree.h"
#include "engine/wakes.h"
#include "model/flaws.h"
#include "model/job.h"
#include "model/needs.h"
#include "model/record.h"
#include "model/task.h"

namespace docket::engine {

class Records;

// Secret values by source path, looked up in the engine's vault.
class SecretSource {
 public:
  virtual ~SecretSource() = default;
  virtual Result<std::string> secret(const std::string& path) const = 0;
  // A sealed member of a record.
  virtual Result<std::string> unseal(const model::Record& record,
                                     const std::string& member) const = 0;
};

// What a plan may see: one run, and the tree below it. Steps are found by their keys; the run's
// own key is empty. The children of a node are in the order in which they were spawned.
class View {
 public:
  View(const Node& run, const Wakes& wakes, const Records& records, Time now, std::uint64_t draw)
      : run_(run), wakes_(wakes), records_(records), now_(now), draw_(draw) {}
  const Node& run() const { return run_; }
  const model::Job& job() const { return *run_.job; }
  const Node* step(std::string_view key) const { return run_.step(key); }  // null: not spawned
  // The memory of the run or a step; empty where nothing was kept.
  static std::string_view cell(const Node& node, std::string_view name);
  // Attempts of the run so far; at most kAttemptsKept are counted.
  std::size_t attempts() const { return run_.children().size(); }
  const Records& records() const { return records_; }
  bool awaits(const std::string& wake) const { return wakes_.find(run_.task.id, wake) != nullptr; }
  Time now() const { return now_; }             // by the clock as it was when the run was made
  std::uint64_t draw() const { return draw_; }  // uniform over 64 bits

 private:
  const Node& run_;
  const Wakes& wakes_;
  const Records& records_;
  Time now_;
  std::uint64_t draw_;
};

// ---- what happened

struct Placed {  // a task has what it needs: the run begins, or a step may
  const Node& of;
  const Target& target;
};
struct Ended {     // an attempt is over, and its task has ended
  const Node& of;  // the run or the step whose attempt it was
  const AttemptReport& report;
  // False: it could not be launched, and no task was made of it; or the step did not get what it
  // needs in time. The message says why.
  bool launched = true;
};
struct Due {  // a wake-up that was asked for
  std::string_view name;
};
struct Stopping {  // somebody asks the run to end
  std::string_view reason;
};
// No news: look at the tree and continue. Comes after More, and once after a restart, which loses
// wake-ups.
struct Look {};
using Happening = std::variant<Placed, Ended, Due, Stopping, Look>;

// Not among these, but with a function of its own: a request to a begun run, by its word.
struct Asked {
  std::string_view word;       // of the kind's own: "pause"
  std::string_view arguments;  // a JSON object; empty: none
};

// ---- what next

// A key names a step; an empty key is the run.

// A step below another, or below the run; does nothing if a step with this key exists. A step with
// needs waits in the queue.
struct Spawn {
  std::string key;
  std::string under = {};
  std::string type = {};    // for people: "node"; empty: "step"
  StringPairs labels = {};  // at most kStepLabelsMax bytes together
  bool folds = false;       // leaves memory when it ends, not when the run does
  bool operator==(const Spawn&) const = default;
};
// An attempt of the run or of a step, which must have no live one.
struct Launch {
  std::string key = {};
  std::string executor = {};  // by name; empty: the server's first
  bool operator==(const Launch&) const = default;
};
// Every live attempt at or below it is asked to end. One that has not ended within the patience is
// counted as lost, and stopped again whenever it is heard of. Patience is not durable: after a
// restart (Look) a kind states again what it wants.
struct Stop {
  std::string key = {};
  std::optional<Duration> grace = {};     // before it is killed; absent: its executor's default
  std::optional<Duration> patience = {};  // absent: as long as it takes
  bool operator==(const Stop&) const = default;
};
// What people see of the run or step; absent members stay as they are.
struct Set {
  std::string key = {};
  std::optional<model::State> state = {};  // kRunning or kPaused; kPaused alone stops nothing
  std::optional<std::string> word = {};
  std::optional<std::string> facts = {};             // a JSON object of at most kFactsMax bytes
  std::optional<double> completed = {}, total = {};  // of steps and actions: runs of jobs have none
  bool operator==(const Set&) const = default;
};
// The end of the run or step. The engine ends what still lives below it.
struct Finish {
  model::State state = model::State::kDone;
  std::string message = {};
  std::string key = {};
  std::string result = {};  // JSON, at most kResultMax bytes; empty: none, or the executor's
  bool operator==(const Finish&) const = default;
};
// Memory: changes this cell only. Empty text removes it.
struct Keep {
  std::string cell;
  std::string text;  // at most kCellMax bytes
  std::string key = {};
  bool operator==(const Keep&) const = default;
};
struct Note {
  model::NoteText text;
  std::string key = {};
  bool operator==(const Note&) const = default;
};
struct More {
  bool operator==(const More&) const = default;
};  // the plan continues in the next tick, with Look
// One timer for each name; kNever clears it. Not durable. An instant that has passed is due at
// once.
struct Wake {
  std::string name;
  Time at = kNever;          // by the clock as it was when the run was made
  std::string why = {};      // for people: "the next attempt starts then"
  bool begins_work = false;  // waits while the store is full
  bool operator==(const Wake&) const = default;
};
using Step = std::variant<Spawn, Launch, Stop, Set, Finish, Wake, Keep, Note, More>;
using Plan = std::vector<Step>;  // in this order

inline constexpr std::size_t kPlanMax = 1000;  // steps; the rest after More
inline constexpr std::size_t kFactsMax = 1024;
inline constexpr std::size_t kResultMax = std::size_t{16} << 20U;
inline constexpr std::size_t kSubtypeMax = 64;
inline constexpr std::size_t kResourceMax = 1024;
inline constexpr std::size_t kBeforeMax = std::size_t{16} << 10U;  // and after
inline constexpr std::size_t kTracebackMax = std::size_t{64} << 10U;
bool are_facts(const std::string& text);           // a JSON object of at most kFactsMax bytes
const char* flaw_of(const model::NoteText& note);  // what is wrong with it; null: nothing
inline constexpr std::size_t kCellMax = 4096;
inline constexpr std::size_t kCellsMax = 64;  // of a task
inline constexpr std::size_t kStepDepthMax = 100;
inline constexpr std::size_t kStepLabelsMax = 4096;

class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::string_view name() const = 0;  // "process"
  // False: its runs are actions only, which doors of its own begin.
  virtual bool has_jobs() const { return true; }
  // Reads the body of a spec, from a client or the store.
  virtual model::SpecBodyPtr read(JsonReader& in) const = 0;
  // What is wrong with a definition of this kind, whatever door it came through.
  virtual void check(const model::JobDefinition& definition, model::Flaws& flaws) const = 0;
  // What a run needs before it begins, or what the step with this key needs. (Nothing: the step
  // does not wait; the kind launches it.) Must give the same for the same arguments. A step that
  // requests a lock while its run holds one must have patience. Refers to the arguments or the
  // kind.
  virtual model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                             std::string_view key) const = 0;
  // What comes next. A step that is not allowed fails the run.
  virtual Plan plan(const View& view, const Happening& happening) const = 0;
  // What comes next when something is asked of a begun run. An error answers the request and
  // changes nothing. A kind without words of its own refuses all.
  virtual Result<Plan> asked(const View& view, const Asked& asked) const;
  // What the executor of this attempt must be told: when it is launched, and again after a crash if
  // the executor never saw it.
  virtual Result<PayloadPtr> payload(const View& view, const Node& of, TaskId attempt,
                                     const SecretSource& secrets) const = 0;
};

}  // namespace docket::engine
