// The life of runs and attempts: created, begun, ended, stopped.

#include <fmt/format.h>

#include <algorithm>

#include "engine/engine.h"
#include "model/flaws.h"

namespace docket::engine {
namespace {

using model::EventType;
using model::State;

constexpr const char* kNoFacts =
    "The executor reported facts that are not a JSON object, or too long";
constexpr const char* kNoResult = "The executor reported a result that is longer than 16 MiB";

constexpr Duration kFiguresPause = std::chrono::seconds{1};

bool has_figures_only(const AttemptReport& report) {
  return report.phase == AttemptPhase::kRunning && report.progress && report.notes.empty() &&
         report.facts.empty() && report.result.empty();
}

void put_figures(model::Task& task, const model::Progress& progress) {
  model::put_figures(task, progress.completed, progress.total);
}

constexpr std::uint64_t kNames = 62ULL * 62 * 62 * 62 * 62;

// yyyyMMddHHmmss in UTC and five characters of [A-Za-z0-9] (reference section 7). The five are the
// task's number under a multiplication that is a bijection on five characters: unique for 900
// million runs in a row, across restarts too, with nothing to remember.
std::string run_name(TaskId id, Time now) {
  constexpr std::string_view kDigits =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::uint64_t kStir = 387'420'489;  // prime to 62
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(now - day)};
  std::string name =
      fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()), clock.hours().count(), clock.minutes().count(),
                  clock.seconds().count());
  std::uint64_t rest = (id.value % kNames) * kStir % kNames;
  for (int i = 0; i < 5; ++i, rest /= 62) name.push_back(kDigits[rest % 62]);
  return name;
}

// The parameters are handed on along the pipeline, with the name of the run that they come from.
std::shared_ptr<const model::RunParameters> handed_on(const model::Task& run,
                                                      const std::string& job_id) {
  auto parameters = run.parameters ? std::make_shared<model::RunParameters>(*run.parameters)
                                   : std::make_shared<model::RunParameters>();
  parameters->started_by = model::Starter{run.id, run.name, job_id};
  return parameters;
}

Error no_such_run() {
  return {.kind = ErrorKind::kNotFound, .message = "Job Run not found", .subject = "run"};
}

}  // namespace

// ---- creation

Result<const Node*> Engine::start_run(const std::string& job_id,
                                      std::shared_ptr<const model::RunParameters> parameters,
                                      Time now) {
  JobEntry* entry = jobs_.find(job_id);
  if (!entry)
    return fail({.kind = ErrorKind::kNotFound, .message = "Job not found", .subject = "job"});
  if (const auto room = room_for_run(); !room) return fail(room.error());
  if (parameters) {
    model::Flaws flaws;
    model::check(*parameters, flaws);
    if (auto fields = flaws.take(); !fields.empty()) return fail(invalid(std::move(fields)));
  }
  model::Task task;
  task.trigger = model::Trigger::kManual;
  task.parameters = std::move(parameters);
  return &create_run(*entry, std::move(task), now);
}

Result<> Engine::room_for_run() const {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  if (queue_.size() < settings_.queued_max) return {};
  return fail(ErrorKind::kExhausted, fmt::format("the queue is full: {} runs wait", queue_.size()));
}

Node& Engine::create_run(JobEntry& entry, model::Task task, Time now) {
  task.kind = model::TaskKind::kRun;
  task.id = new_task_id();
  task.name = run_name(task.id, now);
  Node& run = create(std::move(task), entry.row.job, now);
  enter(entry, run);
  return run;
}

Result<const Node*> Engine::start_action(model::Spec spec, model::Operation shown, Time now) {
  if (const auto room = room_for_run(); !room) return fail(room.error());
  auto job = std::make_shared<model::Job>();  // shared: see model::JobPtr
  job->definition.spec = std::move(spec);
  job->created_at = job->updated_at = now;
  model::Flaws flaws;
  kind_of(*job).check(job->definition, flaws);
  if (auto fields = flaws.take(); !fields.empty()) return fail(invalid(std::move(fields)));
  if (auto numbered = operations_.number(shown); !numbered) return fail(numbered.error());
  job->uid = jobs_.new_uid();
  open_.batch->jobs.push_back({.job = job, .deleted = true});
  model::Task task;
  task.kind = model::TaskKind::kOperation;
  task.id = new_task_id();
  task.operation = std::make_shared<const model::Operation>(std::move(shown));
  Node& run = create(std::move(task), std::move(job), now);
  operations_.list_live(run);
  return &run;
}

// A root that already has its number, and waits for what it needs.
Node& Engine::create(model::Task task, model::JobPtr job, Time now) {
  task.root = task.id;
  task.job = job->uid;
  task.job_version = job->version;
  task.created_at = now;
  const bool is_action = model::is_action(task);
  const model::Needs needs = kind_of(*job).needs(*job, task.parameters.get(), {});
  if (needs.not_before == kNever) task.state = State::kQueued;
  Node& run = tree_.insert(std::move(task), std::move(job));
  runs_.emplace(run.task.id, &run);
  tree_.touch(run);
  tree_.log(run, is_action ? EventType::kTaskCreated : EventType::kRunCreated, State::kCreated, {},
            now);
  await(run, needs, now);
  ++counters_.runs_started;
  return run;
}

void Engine::enter(JobEntry& entry, Node& run) {
  entry.active.emplace(run.task.id, &run);
  entry.active_by_name.emplace(run.task.name, &run);
}

// ---- beginning

void Engine::wake_runs(Time now, bool begins_work) {
  while (const auto due = wakes_.due(now, begins_work)) {
    plan(tree_.at(due->run), Due{due->name}, now);
  }
}

// Makes room for one more: a run that restarts for ever keeps only its newest attempts in memory;
// the store has them all.
void Engine::trim_attempts(Node& of) {
  while (of.children().size() >= kAttemptsKept) {
    Node& oldest = *of.children().begin()->second;
    if (!oldest.is_attempt() || !oldest.is_final() || oldest.dirty) return;
    tree_.drop(oldest);
  }
}

// The executor never saw the attempt: the server died between the commit and the start. The same
// token starts now.
void Engine::relaunch(Node& attempt, Time now) {
  Node& run = attempt.root();
  AttemptReport report;
  report.token = attempt.task.id;
  report.phase = AttemptPhase::kExited;
  if (run.is_final() || attempt.parent->is_final()) {
    report.message = "stopped before it started";
    return attempt_over(attempt, report, now);
  }
  auto payload =
      kind_of(*run.job).payload(view_of(run, now), *attempt.parent, attempt.task.id, *this);
  if (payload) {
    open_.starts.push_back(
        {attempt.task.id, std::string(model::executor_of(attempt.task)), std::move(*payload)});
    return;
  }
  report.message = payload.error().message;
  attempt_over(attempt, report, now);
}

// ---- what executors report

void Engine::on_attempt(const AttemptReport& report, std::string_view executor, Time now) {
  Node* found = tree_.find(report.token);
  const bool over = report.phase == AttemptPhase::kExited || report.phase == AttemptPhase::kLost;
  if (!found || found->is_final()) {
    // Its end is on disk already. Either the order to forget it was lost on the way, or it has
    // outlived the patience of a Stop.
    if (over) open_.forgets.push_back({report.token, std::string(executor)});
    const bool lives =
        report.phase == AttemptPhase::kStarting || report.phase == AttemptPhase::kRunning;
    if (lives) open_.stops.push_back({.token = report.token, .executor = std::string(executor)});
    return;
  }
  Node& attempt = *found;
  if (!attempt.is_attempt() || model::executor_of(attempt.task) != executor) return;
  if (report.phase == AttemptPhase::kOutOfReach) return;
  if (report.phase == AttemptPhase::kUnknown) return unknown(attempt, now);
  if (report.seq > 0 && !take_report(attempt, report, now)) return;
  const bool ran = report.phase == AttemptPhase::kRunning || report.started_at != kNever;
  if (ran && attempt.task.state == State::kCreated) {
    change(attempt, State::kRunning, {}, now);
    if (report.started_at != kNever) attempt.task.started_at = report.started_at;
  }
  if (over) attempt_over(attempt, report, now);
}

// Takes what a report says besides its phase about the attempt's run or step; nothing if it was
// taken before.
bool Engine::take_report(Node& attempt, const AttemptReport& report, Time now) {
  const bool is_news = report.seq > model::seq_of(attempt.task);
  if (is_news) number(attempt, report.seq);
  Node& of = *attempt.parent;
  if (is_news && report.progress && !of.is_final()) {
    put_figures(of.task, *report.progress);
    late_figures_.insert(attempt.task.id);
  }
  if (is_news && has_figures_only(report)) return true;
  take(attempt);
  if (!is_news) return false;
  if (of.is_final()) return true;
  for (const model::NoteText& note : report.notes) take_note(of, note, now);
  if (report.result.size() > kResultMax) {
    tree_.note(of, {kNoResult}, now);
  } else {
    put_result(of, report.result);
  }
  if (report.facts.empty()) return true;
  if (are_facts(report.facts)) {
    say(of, [&](model::Planned& planned) { planned.facts = report.facts; });
  } else {
    tree_.note(of, {kNoFacts}, now);
  }
  return true;
}

void Engine::number(Node& attempt, std::uint64_t seq) {
  model::Work work = attempt.task.work ? *attempt.task.work : model::Work{};
  work.seq = seq;
  attempt.task.work = std::make_shared<const model::Work>(std::move(work));
}

// Its reports up to the newest are on disk with this tick, and so are their figures.
void Engine::take(Node& attempt) {
  tree_.touch(attempt);
  if (late_figures_.erase(attempt.task.id) > 0 && !attempt.parent->is_final()) {
    tree_.touch(*attempt.parent);
  }
  open_.taken.push_back({attempt.task.id, std::string(model::executor_of(attempt.task)),
                         model::seq_of(attempt.task)});
}

// Figures alone may come a hundred times a second; they change nothing that a plan sees.
void Engine::write_late_figures(Time now) {
  figures_due_ = std::min(figures_due_, now + kFiguresPause);  // the clock was set back
  if (late_figures_.empty() || now < figures_due_) return;
  while (!late_figures_.empty()) {
    Node* attempt = tree_.find(*late_figures_.begin());
    if (attempt && !attempt->is_final()) {
      take(*attempt);
    } else {
      late_figures_.erase(late_figures_.begin());
    }
  }
  figures_due_ = now + kFiguresPause;
}

void Engine::take_note(Node& of, const model::NoteText& note, Time now) {
  const char* flaw = flaw_of(note);
  if (!flaw) return tree_.note(of, note, now);
  tree_.note(of, {fmt::format("{} (reported in {})", note.message, flaw)}, now);
}

// The executor has never seen it, or has lost what it knew.
void Engine::unknown(Node& attempt, Time now) {
  if (attempt.task.state == State::kCreated) return relaunch(attempt, now);
  attempt_over(attempt, {.token = attempt.task.id, .phase = AttemptPhase::kLost}, now);
}

// The executor need not keep anything of it any more.
void Engine::attempt_over(Node& attempt, AttemptReport report, Time now) {
  open_.forgets.push_back({attempt.task.id, std::string(model::executor_of(attempt.task))});
  attempt_ended(attempt, std::move(report), now);
}

void Engine::attempt_ended(Node& attempt, AttemptReport report, Time now) {
  Node& run = attempt.root();
  if (report.phase == AttemptPhase::kLost && report.message.empty()) {
    report.message = kOutcomeUnknown;
  }
  attempt.task.exit_code = report.exit_code;
  attempt.task.signal = report.signal;
  const bool succeeded = report.succeeded() && attempt.task.state == State::kRunning;
  const bool asked = attempt.task.stopping && report.signal != 0;
  change(attempt,
         succeeded ? State::kDone
         : asked   ? State::kAborted
                   : State::kFailed,
         report.message, now);
  if (report.finished_at != kNever) attempt.task.finished_at = report.finished_at;
  step_processes_gone(*attempt.parent);
  if (run.is_final()) {
    if (run.live_attempts == 0) processes_gone(run, now);
    return;
  }
  plan(run, Ended{*attempt.parent, report}, now);
  if (refusal_.empty()) wake_runs(now, true);  // with no pause, at the end of the last attempt
}

// ---- ends

void Engine::end_run(Node& run, State state, std::string message, Time now) {
  if (run.waits()) leave_queue(run);
  wakes_.clear(run.task.id);
  end_below(run, now);
  change(run, state, std::move(message), now);
  ++(state == State::kDone ? counters_.runs_succeeded : counters_.runs_failed);
  JobEntry* entry = jobs_.find(run.task.job);
  const bool counted = !entry && !model::is_action(run.task);  // if its job was deleted
  if (run.live_attempts > 0 && !counted) jobs_.add_terminating(run.job->id());
  if (run.live_attempts == 0 && counted) let_others_start(run.job->id(), now);
  if (entry) {
    entry->active_by_name.erase(run.task.name);
    entry->active.erase(run.task.id);
    count_end(*entry, state, now);
    if (state == State::kDone) {
      const bool wanted = !entry->dependents.empty();
      entry->row.handed_on = wanted ? handed_on(run.task, entry->id()) : nullptr;
    }
    start_dependents(*entry, now);
  }
  if (run.live_attempts == 0) release(run);
}

void Engine::count_end(JobEntry& entry, State state, Time now) {
  model::JobStats& stats = entry.row.stats;
  if (state == State::kDone) {
    ++stats.success_count;
    stats.last_success_at = monotonic_stamp(now);
  } else {
    ++stats.failure_count;
    stats.last_failure_at = monotonic_stamp(now);
  }
  entry.row.last_run_state = state;
  touch(entry);
}

// The last process of a run that had already ended is gone. Until then the run's parents could not
// start its job again.
void Engine::processes_gone(Node& run, Time now) {
  let_others_start(run.job->id(), now);
  release(run);
}

void Engine::let_others_start(const std::string& job_id, Time now) {
  jobs_.remove_terminating(job_id);
  if (JobEntry* entry = jobs_.find(job_id)) start_if_ready(*entry, now);
}

// Nothing of the run is left outside: frees its capacity and locks; its tree leaves memory with
// this tick.
void Engine::release(Node& run) {
  give_back(run);
  runs_.erase(run.task.id);
  tree_.leave(run);
}

void Engine::change(Node& node, State to, std::string message, Time now) {
  // A very short process is reported once, at its end; its task has run all the same. A task that
  // is done while it is paused has run, too.
  const bool has_run = node.task.state == State::kCreated || node.task.state == State::kPaused;
  if (has_run && to == State::kDone) {
    change(node, State::kRunning, {}, now);
  }
  tree_.change(node, to, std::move(message), now);
  if (!node.parent && node.is_final()) list_ended(node, now);
}

// ---- stopping

Result<Engine::Stopped> Engine::stop_run(const std::string& job_id, const std::string& run_name,
                                         Time now) {
  JobEntry* entry = jobs_.find(job_id);
  if (!entry)
    return fail({.kind = ErrorKind::kNotFound, .message = "Job not found", .subject = "job"});
  const auto it = entry->active_by_name.find(run_name);
  if (it == entry->active_by_name.end()) return fail(no_such_run());
  return stop(*it->second, "Stopped", now);
}

Result<Engine::Stopped> Engine::stop_run(TaskId run, Time now) {
  const auto it = runs_.find(run);
  const bool is_run = it != runs_.end() && !model::is_action(it->second->task);
  if (!is_run || it->second->is_final()) return fail(no_such_run());
  return stop(*it->second, "Stopped", now);
}

// What a begun run does then is decided by its kind; a waiting run ends at once.
Engine::Stopped Engine::stop(Node& run, const std::string& message, Time now) {
  Stopped stopped;
  stopped.job = run.job;
  for (const auto& [id, child] : run.children()) {
    if (child->is_attempt()) stopped.attempts.push_back(child->task);
  }
  if (run.waits()) {
    end_run(run, State::kAborted, message, now);
  } else {
    ask_to_stop(run, message, now);
  }
  stopped.run = run.task;
  return stopped;
}

void Engine::stop_all(JobEntry& entry, const std::string& message, Time now) {
  const std::map<TaskId, Node*> runs = entry.active;  // a run that ends leaves it
  for (const auto& [id, run] : runs) stop(*run, message, now);
}

// A run that does not end at once is marked, so that everybody sees that it was asked.
void Engine::ask_to_stop(Node& run, const std::string& message, Time now) {
  const bool first = !run.task.stopping;
  plan(run, Stopping{message}, now);
  if (run.is_final()) return;
  if (!first) return operations_.confirm(run);
  run.task.stopping = true;
  tree_.touch(run);
  tree_.log(run, model::is_action(run.task) ? EventType::kTaskChanged : EventType::kRunChanged,
            run.task.state, "asked to stop", now);
}

Result<> Engine::ask(TaskId id, const std::string& word, const std::string& arguments, Time now) {
  const auto it = runs_.find(id);
  if (it == runs_.end() || it->second->is_final()) return fail(no_such_run());
  Node& run = *it->second;
  if (run.waits()) return fail(ErrorKind::kConflict, "the run has not begun");
  if (run.task.stopping) return fail(ErrorKind::kConflict, "the run has been asked to stop");
  auto plan = kind_of(*run.job).asked(view_of(run, now), {word, arguments});
  if (!plan) return fail(std::move(plan.error()));
  carry_out(run, std::move(*plan), now);
  return {};
}

const Node* Engine::find_run(const std::string& job_id, const std::string& run_name) const {
  const JobEntry* entry = jobs_.find(job_id);
  if (!entry) return nullptr;
  const auto it = entry->active_by_name.find(run_name);
  return it == entry->active_by_name.end() ? nullptr : it->second;
}

const Node* Engine::find_task(TaskId id) const { return tree_.find(id); }

}  // namespace docket::engine
