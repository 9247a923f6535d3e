#include "sim/process_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "kinds/test/spec.h"

namespace docket::sim {
namespace {

void add(model::Demand& to, const model::Demand& demand, std::int64_t sign) {
  to.cpus_micro += sign * demand.cpus_micro;
  to.mem_kib += sign * demand.mem_kib;
  to.disk_kib += sign * demand.disk_kib;
  to.gpus += sign * demand.gpus;
}

std::string name(TaskId token) { return fmt::format("attempt {}", token.value); }

}  // namespace

ProcessRules::ProcessRules(const Record& record, Verdict& verdict, const engine::Settings& settings)
    : record_(record),
      verdict_(verdict),
      kind_(settings.kill_grace),
      targets_(settings.node),
      total_(targets_.at(0).capacity),
      running_max_(settings.running_max) {}

void ProcessRules::ordered(TaskId token, const runner::LaunchSpec& spec) {
  const model::Task* attempt = record_.task(token);
  verdict_.require(attempt && !model::is_final(attempt->state),
                   "nothing starts before it is durable", name(token));
  const model::Task* run = attempt ? record_.task(attempt->root) : nullptr;
  if (!run || !run->parameters) return;
  for (const auto& wanted : run->parameters->env) {
    verdict_.require(std::ranges::count(spec.env, wanted) == 1, "a run gets its parameters",
                     name(token));
  }
}

void ProcessRules::claimed(TaskId token) {
  verdict_.require(claimed_.insert(token).second, "no token is started twice", name(token));
}

void ProcessRules::spawned(TaskId token) {
  ++spawned_;
  const model::Task* attempt = record_.task(token);
  const model::JobPtr job = attempt ? record_.job_of(*attempt) : nullptr;
  verdict_.require(!live_.contains(token), "no token is started twice", name(token));
  if (!job) return verdict_.violated("every process has a task", name(token));
  Live process{
      .run = attempt->root, .of = attempt->parent, .demand = {}, .exclusive = {}, .locks = {}};
  if (const kinds::ProcessSpec* spec = process_of(*job)) {
    process.demand = kind_.needs(*job, nullptr, {}).demand;
    process.locks = spec->locks;
    if (job->id().ends_with(kExclusive)) process.exclusive = job->id();
    verdict_.require(!targets_.unmet(spec->constraints), "constraints are kept", name(token));
    check_again(*attempt, *spec);
  } else {
    const auto step = record_.steps.find(process.of);
    if (step == record_.steps.end())
      return verdict_.violated("every process has a task", name(token));
    const model::Needs needs = test_kind_.needs(*job, nullptr, step->second.planned->key);
    process.demand = needs.demand;
    const model::Needs of_run = test_kind_.needs(*job, nullptr, {});
    for (const model::LockRequest& request : needs.locks) {  // locks of its run are not its own
      const bool is_own = std::ranges::find(of_run.locks, request.name,
                                            &model::LockRequest::name) == of_run.locks.end();
      if (is_own) process.locks.push_back(request);
    }
    const auto before = of_.find(process.of);
    const bool lost = before != of_.end() && fates_[before->second.newest].lost;
    const bool again = lost && kinds::test_of(job->definition.spec).restarts_lost;
    verdict_.require(before == of_.end() || again, "no step is executed twice", name(token));
  }
  check_room(process);
  check_neighbours(token, process);
  check_locks(process);
  add(used_, process.demand, 1);
  of_[process.of].newest = token;
  ++of_[process.of].count;
  live_.emplace(token, std::move(process));
}

void ProcessRules::check_room(const Live& process) {
  model::Demand sum = used_;
  add(sum, process.demand, 1);
  std::set<TaskId> runs{process.run};
  for (const auto& [token, live] : live_) runs.insert(live.run);
  verdict_.require(sum.cpus_micro <= total_.cpus_micro && sum.mem_kib <= total_.mem_kib &&
                       sum.disk_kib <= total_.disk_kib && sum.gpus <= total_.gpus &&
                       runs.size() <= running_max_,
                   "capacity is never exceeded",
                   fmt::format("{} processes and {} cores", live_.size() + 1,
                               static_cast<double>(sum.cpus_micro) / 1e6));
}

void ProcessRules::check_neighbours(TaskId token, const Live& process) {
  for (const auto& [other, live] : live_) {
    const std::string both = name(token) + " beside " + name(other);
    verdict_.require(live.of != process.of, "no run is executed twice at a time", both);
    verdict_.require(live.exclusive != process.exclusive || process.exclusive.empty(),
                     "FORBID never overlaps", both);
    for (const model::LockRequest& mine : process.locks) {
      const bool shared = std::ranges::any_of(
          live.locks, [&](const model::LockRequest& theirs) { return theirs.name == mine.name; });
      verdict_.require(!shared, "a lock has one holder", both + ": " + mine.name);
    }
  }
}

// A second execution needs a reason: the first failed or was lost, and the job says to try again.
void ProcessRules::check_again(const model::Task& attempt, const kinds::ProcessSpec& spec) {
  const auto before = of_.find(attempt.parent);
  if (before == of_.end()) return;
  const auto& [newest, count] = before->second;
  const Fate& fate = fates_[newest];
  const bool on_failure = spec.restart.policy == kinds::RestartPolicy::kOnFailure;
  const bool on_lost = on_failure || spec.on_lost == kinds::OnLost::kRestart;
  const bool may = (fate.end == End::kFailed && on_failure) || (fate.lost && on_lost);
  verdict_.require(may, "no run is executed twice without a reason",
                   name(attempt.id) + " after " + name(newest));
  const auto most = spec.restart.max_attempts;
  verdict_.require(!most || count < *most, "no run has more attempts than it may",
                   name(attempt.id));
}

void ProcessRules::check_locks(const Live& process) {
  for (const model::LockRequest& request : process.locks) {
    const auto lock = record_.locks.find(request.name);
    verdict_.require(lock != record_.locks.end() &&
                         (lock->second.holder == process.run || lock->second.holder == process.of),
                     "what runs holds its locks", request.name);
  }
}

void ProcessRules::ended(TaskId token, End how) {
  fates_[token].end = how;
  const auto it = live_.find(token);
  if (it == live_.end()) return;
  add(used_, it->second.demand, -1);
  live_.erase(it);
}

void ProcessRules::lost(TaskId token) {
  const std::optional<End> end = fates_[token].end;
  ended(token, end.value_or(End::kFailed));
  fates_[token] = {end, true};
}

// Lost counts as failed, even if the lost process succeeded.
void ProcessRules::stored(const model::Task& attempt) {
  if (attempt.kind != model::TaskKind::kAttempt || !model::is_final(attempt.state)) return;
  if (!model::executor_of(attempt).empty()) return;  // no process
  if (attempt.message.starts_with("It was stopped and did not end")) return given_up(attempt.id);
  const Fate& fate = fates_[attempt.id];
  const bool well = attempt.state == model::State::kDone;
  verdict_.require(well ? fate.end == End::kSucceeded : fate.end != End::kSucceeded || fate.lost,
                   "an attempt's outcome is what its process did", name(attempt.id));
}

// The run has ended without it, and what it held is free.
void ProcessRules::given_up(TaskId token) {
  const auto it = live_.find(token);
  if (it == live_.end()) return;
  add(used_, it->second.demand, -1);
  live_.erase(it);
}

void ProcessRules::forgotten(TaskId token) {
  const model::Task* attempt = record_.task(token);
  verdict_.require(attempt && model::is_final(attempt->state),
                   "no result is forgotten before it is durable", name(token));
}

}  // namespace docket::sim
