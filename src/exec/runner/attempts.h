#pragma once

// The life of every attempt that this runner knows: queued, fetching artifacts, running, draining
// (the main process is over, what it left behind is being killed), then reported and dropped from
// memory: ended attempts are on disk and are read from there on request. Driven by the loop in
// runner.cc: reap() on SIGCHLD, on_turn() after every wake-up. Runner thread only; nothing here
// blocks.

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/executor.h"
#include "exec/runner/attempt_record.h"
#include "exec/runner/cgroups.h"
#include "exec/runner/launch.h"
#include "exec/runner/launcher.h"
#include "exec/runner/runner.h"
#include "exec/runner/sandbox.h"

namespace docket::runner {

inline constexpr char kOutcomeUnknown[] =
    "The outcome is not known: the attempt ended while no runner was there";

enum class Stage { kQueued, kFetching, kRunning, kDraining };

struct Attempt {
  TaskId token;
  Stage stage = Stage::kQueued;
  LaunchSpec spec;  // env and secrets are dropped once the command runs
  User user;
  Sandbox sandbox;
  CgroupSlot* slot = nullptr;
  pid_t pid = -1;        // of the fetch or the command; -1 once it was reaped
  pid_t group = -1;      // session and group of the command; outlives its leader
  bool adopted = false;  // not our child: an earlier runner's
  OwnedFd pidfd;         // when adopted
  OwnedFd fetch_result;
  std::vector<std::string> secret_paths;
  bool stop_asked = false;
  std::optional<Duration> stop_grace;      // of a stop that came while queued
  std::optional<std::int64_t> kill_at_ns;  // CLOCK_MONOTONIC
  std::int64_t drain_until_ns = 0;
  bool forgotten = false;
  engine::AttemptReport report;
};

class Attempts {
 public:
  using Tell = std::function<void(const engine::AttemptReport&)>;
  // tell: called for every change of phase. watch: asks the loop to call adopted_ended(token) once
  // the pidfd is readable.
  using Watch = std::function<void(int pidfd, TaskId token)>;
  using Note = std::function<void(const std::string&)>;

  Attempts(const RunnerConfig& config, Tell tell, Watch watch, Note note);
  ~Attempts();

  void start(TaskId token, LaunchSpec spec);
  void stop(TaskId token, std::optional<Duration> grace);
  void forget(TaskId token);
  engine::AttemptReport find(TaskId token);

  void reap();
  void adopted_ended(TaskId token);
  // Starts some queued attempts, kills what is due, checks limits when it is time.
  void on_turn();
  // Until on_turn must be called again without an event; nullopt: no need.
  std::optional<std::int64_t> next_turn_ns() const;

  // Ended attempts are on disk: nothing would be lost without this runner.
  bool idle() const { return live_.empty() && unrecorded_.empty(); }
  const std::string& limits_status() const { return cgroups_.status(); }

 private:
  Attempt* live(TaskId token);
  engine::AttemptReport recall(TaskId token);
  engine::AttemptReport recall_unfinished(TaskId token, const AttemptRecord& record);
  Attempt* adopt(TaskId token, const AttemptRecord& record);
  engine::AttemptReport conclude(TaskId token, const AttemptRecord& record);
  void drop_preparations(TaskId token, const AttemptRecord& record);
  void kill_remains(TaskId token, const AttemptRecord& record, CgroupSlot* slot);
  CgroupSlot* slot_of(const AttemptRecord& record);

  void start_queued();
  void launch(Attempt& attempt);
  void take_up_again(Attempt& attempt);
  void wait_for_room(Attempt& attempt, const std::string& why);
  Result<> prepare(Attempt& attempt);
  Result<> check(Attempt& attempt);
  std::string claim_lines(const Attempt& attempt) const;
  void fetch(Attempt& attempt);
  void run(Attempt& attempt);
  void running(Attempt& attempt, const StartRecord& start);

  void child_ended(pid_t pid, int code, int status);
  void fetch_ended(Attempt& attempt, int code, int status);
  void main_ended(Attempt& attempt);
  bool is_ours(pid_t pid) const;  // a command's main process, a downloader or a reaper
  std::vector<pid_t> leftovers(const Attempt& attempt) const;
  std::vector<pid_t> stray(const Attempt& attempt) const;
  bool nothing_left(const Attempt& attempt) const;
  void drain();
  void signal_all(Attempt& attempt, int signal);
  void fail_attempt(Attempt& attempt, std::string message, int exit_code);
  void finish(Attempt& attempt);
  void explain_end(engine::AttemptReport& report, const CgroupSlot* slot, double mem_mib) const;
  void put_end(TaskId token, const OwnedFd& record, const engine::AttemptReport& report);
  void write_ends_again();

  void kill_due(std::int64_t now_ns);
  void sample(std::int64_t now_ns);
  void trim_logs(TaskId token);
  void check_disk(Attempt& attempt);

  const RunnerConfig& config_;
  Tell tell_;
  Watch watch_;
  Note note_;
  SandboxRoot root_;
  UserTable users_;
  CgroupPool cgroups_;
  Launcher launcher_;
  std::string boot_id_;
  std::unordered_map<TaskId, std::unique_ptr<Attempt>> live_;
  std::unordered_map<pid_t, Attempt*> by_pid_;
  std::deque<TaskId> queue_;
  std::int64_t queue_from_ns_ = 0;  // the disk is full: nothing is started before
  // Ends that could not be recorded: kept until they are, or until the server has them.
  std::map<TaskId, engine::AttemptReport> unrecorded_;
  std::vector<TaskId> draining_;
  std::vector<TaskId> unreaped_;               // adopted, ended, and not yet reaped by init
  std::multimap<std::int64_t, TaskId> kills_;  // due times; an attempt's own kill_at_ns decides
  std::int64_t sample_at_ns_ = 0;
  bool told_no_holes_ = false;
};

}  // namespace docket::runner
