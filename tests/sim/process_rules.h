#pragma once

// The rules of the world outside: what may really run, and when. Called by the executor for every
// process that is made and that ends.

#include <map>
#include <optional>
#include <unordered_map>

#include "engine/settings.h"
#include "kinds/process/process_kind.h"
#include "sim/record.h"
#include "sim/verdict.h"

namespace docket::sim {

enum class End { kSucceeded, kFailed, kLost };

// Jobs whose names end so are never started by hand and have FORBID schedules only: their processes
// never overlap at all.
inline constexpr std::string_view kExclusive = ".x";

class ProcessRules {
 public:
  ProcessRules(const Record& record, Verdict& verdict, const engine::Settings& settings);

  void ordered(TaskId token, const engine::LaunchSpec& spec);  // the engine asks for a start
  void accepted(TaskId token);
  void spawned(TaskId token);
  void ended(TaskId token, End how);
  void forgotten(TaskId token);
  std::size_t live() const { return live_.size(); }
  std::uint64_t spawned_in_all() const { return spawned_; }

 private:
  struct Live {
    TaskId run;
    engine::Demand demand;
    std::string exclusive;  // the job's id, when its processes never overlap
    std::vector<model::LockWish> locks;
  };
  struct Tried {
    TaskId token;
    std::optional<End> end;
  };
  void check_room(const engine::Demand& more);
  void check_neighbours(TaskId token, const Live& process);
  void check_again(const model::Task& attempt, const model::ProcessSpec& spec);
  void check_locks(const Live& process);

  const Record& record_;
  Verdict& verdict_;
  kinds::ProcessKind kind_;
  engine::Demand total_;
  const engine::NodeSettings node_;
  std::uint32_t running_max_;
  engine::Demand used_;
  std::map<TaskId, Live> live_;
  std::set<TaskId> accepted_;
  std::unordered_map<TaskId, Tried> newest_;  // by run
  std::uint64_t spawned_ = 0;
};

}  // namespace docket::sim
