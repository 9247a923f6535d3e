#pragma once

// The machine that runs attempts, and the runner on it. Processes have reapers: when the runner
// dies and another takes its place they go on, and their ends are known. Attempts that the runner
// had not claimed on its disk are forgotten then; those that it had claimed and not started are
// lost, and so are ends that did not fit on a full disk. Now and then reapers die with it, and the
// machine goes down.

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "engine/executor.h"
#include "exec/runner/launch.h"
#include "sim/dice.h"
#include "sim/process_rules.h"
#include "sim/sim_clock.h"
#include "sim/sim_committer.h"
#include "sim/timeline.h"

namespace docket::sim {

struct RunnerHabits {
  Duration run_max = std::chrono::minutes{10};
  std::uint64_t fails_percent = 20;
  std::uint64_t unstartable_percent = 3;
  // Mutations.
  bool starts_twice = false;  // two processes for one token
  bool forgets = false;       // running processes, when it dies
  bool misreports = false;    // now and then reports a failure as a success
};

class SimRunner {
 public:
  using Report = std::function<void(const engine::AttemptReport&)>;
  SimRunner(Timeline& timeline, SimClock& clock, const DiskHealth& disk, Dice dice,
            ProcessRules& rules, Verdict& verdict, Report report)
      : timeline_(timeline),
        clock_(clock),
        disk_(disk),
        dice_(dice),
        rules_(rules),
        verdict_(verdict),
        report_(std::move(report)) {}

  bool up() const { return up_; }

  // Messages from the server; they are not received while the runner is down.
  void start(TaskId token, const runner::LaunchSpec& spec);
  void stop(TaskId token, std::optional<Duration> grace);
  void forget(const std::vector<TaskId>& tokens);
  engine::AttemptReport find(TaskId token) const;

  void die();
  void machine_down();  // all processes end
  void live();          // another runner
  void room();          // there is room on its disk again

  RunnerHabits habits;

 private:
  enum class Stage { kWaiting, kClaimed, kRunning, kOver };
  struct Attempt {
    runner::LaunchSpec spec;
    engine::AttemptReport report;
    Stage stage = Stage::kWaiting;
    bool written = true;  // its end is on disk
  };
  void claim_soon(TaskId token);
  void claim(TaskId token);
  void spawn(TaskId token);
  void exit(TaskId token, int code, int signal);
  void end(Attempt& attempt);
  void lose(Attempt& attempt);
  void tell(const Attempt& attempt);
  Attempt* find_in(TaskId token, Stage stage);
  // Later, unless this life of the runner is over by then.
  void later(Duration by, std::function<void()> work);

  Timeline& timeline_;
  SimClock& clock_;
  const DiskHealth& disk_;
  Dice dice_;
  ProcessRules& rules_;
  Verdict& verdict_;
  Report report_;
  std::map<TaskId, Attempt> attempts_;
  bool up_ = true;
  std::uint64_t life_ = 1;
};

}  // namespace docket::sim
