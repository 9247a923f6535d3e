#pragma once

// The rules of the world outside: what may really run, and when. Called by the runner for every
// process that is made and that ends, whatever the server knows of it.

#include <map>
#include <optional>
#include <unordered_map>

#include "engine/settings.h"
#include "engine/targets.h"
#include "exec/runner/launch.h"
#include "kinds/process/process_kind.h"
#include "kinds/process/spec.h"
#include "kinds/test/test_kind.h"
#include "sim/record.h"
#include "sim/verdict.h"

namespace docket::sim {

enum class End { kSucceeded, kFailed };

// Jobs whose names end so are never started by hand and have FORBID schedules only: their processes
// never overlap at all.
inline constexpr std::string_view kExclusive = ".x";

class ProcessRules {
 public:
  ProcessRules(const Record& record, Verdict& verdict, const engine::Settings& settings);

  void ordered(TaskId token, const runner::LaunchSpec& spec);  // the engine asks for a start
  void claimed(TaskId token);  // on the runner's disk: from here on it is started once
  void spawned(TaskId token);
  void ended(TaskId token, End how);
  // How it ended, or will end, is not known any more: it is killed then.
  void lost(TaskId token);
  // An attempt has ended in the store.
  void stored(const model::Task& attempt);
  void forgotten(TaskId token);
  std::size_t live() const { return live_.size(); }
  std::uint64_t spawned_in_all() const { return spawned_; }

 private:
  struct Live {
    TaskId run;
    TaskId of;  // the run or the step that it is an attempt of
    model::Demand demand;
    std::string exclusive;  // the job's id, when its processes never overlap
    std::vector<model::LockRequest> locks;
  };
  struct Fate {
    std::optional<End> end;
    bool lost = false;  // its end is not known any more
  };
  void given_up(TaskId token);
  void check_room(const Live& process);
  void check_neighbours(TaskId token, const Live& process);
  void check_again(const model::Task& attempt, const kinds::ProcessSpec& spec);
  void check_locks(const Live& process);

  const Record& record_;
  Verdict& verdict_;
  kinds::ProcessKind kind_;
  kinds::TestKind test_kind_;
  const engine::Targets targets_;
  const model::Demand total_;
  std::uint32_t running_max_;
  model::Demand used_;
  std::map<TaskId, Live> live_;
  std::set<TaskId> claimed_;
  std::unordered_map<TaskId, Fate> fates_;  // of attempts
  struct Processes {
    TaskId newest;
    std::int64_t count = 0;
  };
  std::unordered_map<TaskId, Processes> of_;  // a run or a step
  std::uint64_t spawned_ = 0;
};

}  // namespace docket::sim
