#pragma once

// The truth about jobs, runs, schedules and locks, and every rule that changes it. Deterministic:
// time, randomness and what executors report are arguments; what should happen outside comes back
// as a Tick. Strand only; never blocks.
//
// Start reading here, then task_tree.h (live tasks), job_table.h, queue.h (capacity), scheduler.h,
// lock_table.h. The Loop (loop.h) drives it: commands -> advance() -> take() -> commit -> answers
// and effects.
//
// Pointers returned are valid until the next call that is not const.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "engine/batch.h"
#include "engine/clock_watch.h"
#include "engine/executor.h"
#include "engine/job_table.h"
#include "engine/kinds.h"
#include "engine/lock_table.h"
#include "engine/operations.h"
#include "engine/queue.h"
#include "engine/records.h"
#include "engine/scheduler.h"
#include "engine/settings.h"
#include "engine/targets.h"
#include "engine/task_tree.h"
#include "engine/wakes.h"

namespace docket::engine {

// Orders to executors, which are given by name.
struct StartEffect {
  TaskId token;
  std::string executor;
  PayloadPtr payload;
};
struct StopEffect {
  TaskId token;
  std::string executor;
  std::optional<Duration> grace = {};  // absent: the executor's default
};
struct ForgetEffect {  // the attempt's end is in this batch
  TaskId token;
  std::string executor;
};
struct TakenEffect {  // its reports up to this number are on disk
  TaskId token;
  std::string executor;
  std::uint64_t seq = 0;
};

// An event on its way to subscribers; run_name is the root's, for doors that name runs by it.
struct Notice {
  model::Event event;
  std::string run_name;
};

// What one tick makes durable, and what is to be done once it is.
struct Tick {
  std::shared_ptr<Batch> batch =
      std::make_shared<Batch>();  // shared with the committer, which may retry it
  std::vector<StartEffect> starts;
  std::vector<StopEffect> stops;
  std::vector<ForgetEffect> forgets;
  std::vector<TakenEffect> taken;
  std::vector<Notice> notices;  // empty unless observed
  std::vector<TaskId> ended;    // tasks of all kinds
};

enum class ActiveRuns { kRefuse, kStop };

// Seals secret values; the key lives with the implementation.
class Vault {
 public:
  virtual ~Vault() = default;
  virtual std::string seal(const std::string& path, const std::string& plain, Random& random) = 0;
  virtual Result<std::string> unseal(const std::string& path, const std::string& sealed) const = 0;
};

class Engine : private SecretSource, private Operations::Journal {
 public:
  Engine(Settings settings, Random& random, Vault& vault, Kinds kinds);
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // --- start-up: restore, ask executors about live_attempts(), reconcile; then serve.
  void restore(Snapshot snapshot, Time now);
  std::uint64_t epoch() const { return epoch_; }
  std::map<std::string, std::vector<AttemptQuery>> live_attempts()
      const;  // by executor, oldest first
  void reconcile(const std::vector<AttemptReport>& reports, Time now);

  // --- jobs. Errors: kConflict (exists; active runs; dependents), kInvalid (unknown dependencies,
  // cycle; flaws, see model/flaws.h), kNotFound, with messages in the words of
  // reference/metronome.md section 2.
  Result<const JobEntry*> create_job(model::JobDefinition definition,
                                     std::vector<model::ScheduleDefinition> schedules, Time now);
  Result<const JobEntry*> update_job(const std::string& id, model::JobDefinition definition,
                                     Time now);
  // Also replaces all schedules (v0 API).
  Result<const JobEntry*> update_job(const std::string& id, model::JobDefinition definition,
                                     std::vector<model::ScheduleDefinition> schedules, Time now);
  Result<model::JobPtr> delete_job(const std::string& id, ActiveRuns active, Time now);
  const JobEntry* job(const std::string& id) const;  // null: unknown
  const std::map<std::string, std::unique_ptr<JobEntry>>& jobs() const { return jobs_.by_id(); }

  // --- schedules. kNotFound: the subject is "job" or "schedule". kConflict: the id is taken.
  Result<const model::Schedule*> add_schedule(const std::string& job_id,
                                              model::ScheduleDefinition definition, Time now);
  Result<const model::Schedule*> update_schedule(const std::string& job_id,
                                                 model::ScheduleDefinition definition, Time now);
  Result<> remove_schedule(const std::string& job_id, const std::string& schedule_id, Time now);
  const model::Schedule* schedule(ScheduleUid uid) const { return scheduler_.find(uid); }
  static std::optional<Time> next_run_at(const model::Schedule& schedule,
                                         Time now);  // also of disabled ones

  // --- runs. kInvalid: flaws of the parameters, see model/flaws.h.
  Result<const Node*> start_run(const std::string& job_id,
                                std::shared_ptr<const model::RunParameters> parameters, Time now);
  // A run that no job has (model::is_action), with a definition of its own. `shown` is what lists
  // show of it; its sequence is set here. Errors as above, and kInvalid: flaws of the spec, or
  // `shown` makes no sense.
  Result<const Node*> start_action(model::Spec spec, model::Operation shown, Time now);
  // Ends the run at once as kAborted; its processes are asked to exit and may outlive it. The copy
  // shows the run and its attempts as they were left. kNotFound: the subject is "job" or "run".
  struct Stopped {
    model::Task run;
    model::JobPtr job;
    std::vector<model::Task> attempts;
  };
  Result<Stopped> stop_run(const std::string& job_id, const std::string& run_name, Time now);
  Result<Stopped> stop_run(TaskId run, Time now);
  // Asks a begun run for something that its kind has a word for. The arguments are a JSON object,
  // or empty. kNotFound: no such live run. kConflict: it waits, or was asked to stop. Other errors
  // are the kind's.
  Result<> ask(TaskId run, const std::string& word, const std::string& arguments, Time now);
  const Node* find_run(const std::string& job_id,
                       const std::string& run_name) const;  // not final ones only
  const Node* find_task(TaskId id) const;                   // any in memory
  const Targets& targets() const { return targets_; }
  const Queue& queue() const { return queue_; }
  const LockTable& locks() const { return locks_; }

  // --- tasks of every kind
  Operations& operations() { return operations_; }
  const Operations& operations() const { return operations_; }
  bool is_live(TaskId id) const;
  // Where doors list tasks. Runs of jobs are in lane 0 of the module of their kind, which exists
  // while there are such jobs; that of the server's first kind always does.
  std::vector<std::string> modules() const;
  bool has_runs(const std::string& module) const;
  bool has_module(const std::string& module) const;
  std::vector<std::uint32_t> lanes(const std::string& module) const;
  // Makes doors that forget forget what has ended in it. kNotFound.
  Result<> drain(const std::string& module);
  // Stops a run, or asks an operation and everything below it to stop. kNotFound: not live.
  // kDenied: the task cannot be aborted, or not by itself (an attempt).
  Result<> abort_task(TaskId id, Time now);
  // How long doors that forget show what ends from now on (settings.h).
  void set_task_ttls(Duration ttl, Duration user_ttl);
  // Makes such doors forget a task that has ended.
  void unlist(TaskId id);

  // --- secrets: only paths and times ever leave the engine.
  Result<> put_secret(const std::string& path, const std::string& value, Time now);
  Result<> delete_secret(const std::string& name);
  std::vector<std::pair<std::string, Time>> secrets() const;

  // --- records: what doors keep beside jobs (model/record.h). The id and the instants in `record`
  // are ignored; so are the family and the parent when one changes. `secrets` replace those of the
  // same names; an empty value removes one. kConflict: the name is taken. kNotFound: no such
  // record, or parent. kExhausted: there are kRecordsMax, or it is larger than kRecordMax bytes.
  static constexpr std::size_t kRecordsMax = 100'000;
  static constexpr std::size_t kRecordMax = std::size_t{1} << 20U;
  Result<const model::Record*> create_record(model::Record record, const StringPairs& secrets,
                                             Time now);
  Result<const model::Record*> update_record(RecordId id, model::Record record,
                                             const StringPairs& secrets, Time now);
  // With everything below it. kNotFound.
  Result<> delete_record(RecordId id);
  const Records& records() const { return records_; }
  // A secret member in plain; kNotFound: it has none of this name.
  Result<std::string> unseal(const model::Record& record, const std::string& member) const override;

  // --- what happened outside
  void on_attempt(const AttemptReport& report, std::string_view executor, Time now);

  // --- the clock. A reading must come before any other call that takes the time: deadlines
  // counted from an instant (leases, starting deadlines, restart deadlines, the time that runs
  // have waited) move when the clock is set. Returns by how much it was. Without readings (tests,
  // tools) the clock is taken to be right.
  Duration see_clock(const ClockReading& reading);
  void accept_clock();  // an operator says that it is right
  const ClockWatch& clock() const { return clock_; }
  Time trusted(Time now) const override;
  // Retention removes what ended before this; kNever: nothing.
  Time kept_since(Time now) const;

  // --- time: fires what is due, starts what fits. Idempotent for one instant.
  void advance(Time now);
  Time next_wake();  // kNever: nothing to wait for
  // A slice of retention now instead of when it is due; a large one, because somebody waits for
  // it.
  void sweep_now(Time now) { sweep(now, kSweepNow * settings_.sweep_rows_max); }
  static constexpr std::uint32_t kSweepNow = 10;

  // --- ticks
  bool dirty() const;  // take() would return something to commit or to do
  Tick take();
  // The size of the open tick: a command that leaves it unchanged has changed nothing.
  std::size_t open_size() const;
  // The stops of the open tick, for a store that has no room for it.
  std::vector<StopEffect>& open_stops() { return open_.stops; }
  const std::vector<StartEffect>& open_starts() const { return open_.starts; }
  const std::vector<TaskId>& open_ended() const { return open_.ended; }
  void observe(bool on) { observed_ = on; }  // whether ticks carry notices
  // New work is refused with kExhausted while set; stops and ends go on. Set by the loop when the
  // store is full.
  void refuse_new_work(std::string reason) { refusal_ = std::move(reason); }

  const Settings& settings() const { return settings_; }
  const Kinds& kinds() const { return kinds_; }
  struct Counters {
    std::uint64_t runs_started = 0, runs_failed = 0, runs_succeeded = 0, due_missed = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  friend class Explainer;
  Result<std::string> secret(const std::string& path) const override;

  TaskId new_task() override { return new_task_id(); }
  const std::string& refusal() const override { return refusal_; }
  EventSeq append(model::Event event, const std::string& run_name) override;
  Batch& batch() override { return *open_.batch; }
  void ended(TaskId task) override { open_.ended.push_back(task); }

  const Kind& kind_of(const model::Job& job) const { return kinds_.of(job.definition.spec); }
  TaskId new_task_id() { return TaskId{++last_task_.value}; }

  // jobs and schedules: engine_jobs.cc
  Result<> check(const model::JobDefinition& definition,
                 const std::vector<model::ScheduleDefinition>& schedules) const;
  static Error invalid(std::vector<FieldError> fields);
  static Error schedule_exists(const std::string& id);
  std::vector<model::ScheduleDefinition> schedules_of(const JobEntry& entry) const;
  const model::Schedule& insert_schedule(JobEntry& entry, model::ScheduleDefinition definition,
                                         Time now);
  void put_schedules(JobEntry& entry, std::vector<model::ScheduleDefinition> schedules, Time now);
  void redefine(model::Schedule& schedule, model::ScheduleDefinition definition, Time now);
  void drop_schedule(JobEntry& entry, ScheduleUid uid);

  // records: engine_records.cc
  Result<const model::Record*> put_record(model::Record record, const StringPairs& secrets);

  // start-up: engine.cc
  void adopt(model::Task task, model::JobPtr job);
  void resume(Node& run);
  void resume_step(Node& step);
  void hold(Node& node);

  // waiting: engine_waiting.cc
  model::Needs needs_of(const Node& node) const;
  bool waits_for_needs(const Node& node) const;
  std::vector<Blocker> blockers(const Node& node, Time now) const;
  std::string in_words(TaskId task) const;  // "run 5", "step 'a' of run 5"
  void await(Node& node, const model::Needs& needs, Time now);
  void enqueue(Node& node, const model::Needs& needs, Time now);
  void queue_due(Time now);
  void place_waiting(Time now);
  void place(Node& node, Targets::Number target, Time now);
  void refuse(Node& node, model::State state, std::string why, Time now);
  void expire_waiting(Time now);
  void leave_queue(Node& node);
  void give_back(Node& node);
  const Target& place_of(const Node& node) const;

  // runs and attempts: engine_runs.cc
  Result<> room_for_run() const;
  Node& create_run(JobEntry& entry, model::Task task,
                   Time now);  // task: trigger, schedule, parameters
  Node& create(model::Task task, model::JobPtr job, Time now);
  static void enter(JobEntry& entry, Node& run);
  void wake_runs(Time now, bool begins_work);
  View view_of(const Node& run, Time now);
  void plan(Node& run, const Happening& happening, Time now);
  // plans, and what depends on them: engine_plans.cc. Each step returns why it cannot be carried
  // out.
  void carry_out(Node& run, Plan plan, Time now);
  const char* carry_out(Node& run, Spawn& spawn, Time now);
  const char* carry_out(Node& run, Launch& order, Time now);
  const char* carry_out(Node& run, Stop& order, Time now);
  const char* carry_out(Node& run, Set& order, Time now);
  const char* carry_out(Node& run, Finish& finish, Time now);
  const char* carry_out(Node& run, Wake& wake, Time now);
  const char* carry_out(Node& run, Keep& order, Time now);
  const char* carry_out(Node& run, Note& note, Time now);
  const char* carry_out(Node& run, More& more, Time now);
  void continue_plans(Time now);
  void give_up(Node& run, const char* why, Time now);
  void report_unlaunched(Time now);
  void begin(Node& node, Time now);
  void put_result(const Node& of, std::string result);
  void say(Node& node, const std::function<void(model::Planned&)>& change);
  void end_step(Node& step, model::State state, std::string message, Time now);
  void step_processes_gone(Node& step);
  void end_below(Node& node, Time now);
  void add_attempt(Node& of, TaskId id, model::Work work, Time now);
  void trim_attempts(Node& of);
  void relaunch(Node& attempt, Time now);
  void take_note(Node& of, const model::NoteText& note, Time now);
  bool take_report(Node& attempt, const AttemptReport& report, Time now);
  static void number(Node& attempt, std::uint64_t seq);
  void take(Node& attempt);
  void write_late_figures(Time now);
  void unknown(Node& attempt, Time now);
  void attempt_over(Node& attempt, AttemptReport report, Time now);
  void attempt_ended(Node& attempt, AttemptReport report, Time now);
  void end_run(Node& run, model::State state, std::string message, Time now);
  void count_end(JobEntry& entry, model::State state, Time now);
  void processes_gone(Node& run, Time now);
  void let_others_start(const std::string& job_id, Time now);
  void release(Node& run);
  void change(Node& node, model::State to, std::string message, Time now);
  Stopped stop(Node& run, const std::string& message, Time now);
  void stop_all(JobEntry& entry, const std::string& message, Time now);
  void ask_attempts_to_stop(Node& of, const Stop& how, Time now);
  void expire_stops(Time now);
  void ask_to_stop(Node& run, const std::string& message, Time now);

  // the clock: engine_clock.cc
  void restore_clock(const model::ClockRecord& record);
  Duration set_since(TaskId task) const;
  void remember_step(Duration by);
  void record_clock();
  void record_clock_now_and_then();

  // time: engine_time.cc
  struct Stretch {  // due times with one outcome
    Time first = kNever;
    Time last = kNever;
    std::uint64_t count = 0;
    void add(Time due) {
      if (count++ == 0) first = due;
      last = due;
    }
  };
  void notice_step_back(Time now);
  void go_back(model::Schedule& schedule, Time now);
  void fire_at_boot(Time now);
  void fire_due(Time now);
  bool is_missed(Time due, Time now) const;
  void catch_up(model::Schedule& schedule, Time first, Time now);
  void fire(const model::Schedule& schedule, Time due, Time now);
  void record(const model::Schedule& schedule, const Stretch& stretch, model::DueOutcome outcome,
              TaskId run);
  void settle(model::Schedule& schedule, Time until);
  Time monotonic_stamp(Time now);
  void start_dependents(const JobEntry& parent, Time now);
  void start_if_ready(JobEntry& child, Time now);
  void start_held_back(Time now);
  Duration sweep_pause(Time now);
  void sweep(Time now, std::uint32_t max_rows);
  std::vector<TaskId> growing(Time before) const;

  void touch(JobEntry& entry);
  void log_job(model::EventType type, const model::Job& job, Time now);
  void list_ended(const Node& run, Time now);

  Settings settings_;
  Random& random_;
  Vault& vault_;
  Kinds kinds_;

  JobTable jobs_;
  Scheduler scheduler_;
  LockTable locks_;
  Targets targets_;
  Queue queue_;
  std::set<std::pair<Time, TaskId>> not_before_;  // tasks that may not begin before this
  Wakes wakes_;
  std::deque<std::pair<TaskId, AttemptReport>> unlaunched_;  // by task, until their kinds know
  bool reports_unlaunched_ = false;
  std::set<TaskId> unfinished_plans_;                 // runs whose plans continue in the next tick
  std::set<std::pair<Time, TaskId>> stop_deadlines_;  // when stopped attempts count as lost
  std::set<TaskId> late_figures_;  // attempts whose newest figures are not in the store yet
  Time figures_due_ = kNever;      // when they are written
  TaskTree tree_{*this};
  Operations operations_;
  std::map<TaskId, Node*> runs_;  // in memory: not final, or with a live process
  std::map<std::string, model::SealedSecret> secrets_;
  Records records_;
  TaskId last_task_;
  EventSeq last_event_;
  std::uint64_t epoch_ = 1;
  ClockWatch clock_;
  bool booted_ = false;  // the machine was started: schedules with @reboot are due
  std::vector<model::ClockStep> clock_steps_;  // that some live run has lived through
  std::optional<Duration> clock_recorded_;     // `elapsed` at the time
  Time started_at_ = kNever;                   // due times up to here were missed while down
  Time last_seen_ = kNever;                    // the newest advance; kNever: none yet
  Time last_stamp_ = kNever;                   // see monotonic_stamp()
  Time next_sweep_ = kNever;
  Time swept_at_ = kNever;  // the last sweep, and the newest task then
  TaskId swept_task_;
  std::set<JobUid> held_back_;  // dependents that were ready when there was no room for a run
  std::string refusal_;
  bool observed_ = false;
  Counters counters_;

  Tick open_;  // grows until take()
  std::vector<JobEntry*> dirty_jobs_;
};

}  // namespace docket::engine
