#include "conformance/workload.h"

#include "conformance/samples.h"

namespace docket::conformance {

using model::State;

engine::Batch Workload::next() {
  now_s_ += static_cast<std::int64_t>(below(100));
  if (chance(1)) now_s_ -= 3600;
  engine::Batch batch;
  change_jobs(batch);
  change_schedules(batch);
  for (std::uint64_t count = below(6); count > 0; --count) add_run(batch);
  change_live(batch);
  for (std::uint64_t count = below(6); count > 0; --count) add_operation(batch);
  change_operations(batch);
  change_listings(batch);
  change_the_rest(batch);
  return batch;
}

void Workload::change_jobs(engine::Batch& batch) {
  if (jobs_.empty() || chance(10)) {
    // Few names, so that ids are used again.
    jobs_.push_back(plain_job(jobs_.size() + 1, "job-" + std::to_string(below(5))));
    batch.jobs.push_back(jobs_.back());
  }
  engine::JobRow& row = jobs_[below(jobs_.size())];
  if (chance(10)) {
    model::Job newer = *row.job;
    ++newer.version;
    newer.updated_at = at_second(now_s_);
    newer.definition.description = "changed at " + std::to_string(now_s_);
    row.job = std::make_shared<const model::Job>(std::move(newer));
  }
  if (chance(30)) ++row.stats.success_count;
  if (chance(5)) row.deleted = true;
  if (chance(50)) batch.jobs.push_back(row);
}

void Workload::change_schedules(engine::Batch& batch) {
  if (chance(10)) {
    schedules_.push_back(plain_schedule(++last_schedule_, some_job().value));
    batch.schedules.push_back(schedules_.back());
  }
  if (schedules_.empty()) return;
  const std::size_t at = below(schedules_.size());
  if (chance(30)) {
    schedules_[at].checked_until = at_second(now_s_);
    batch.schedules.push_back(schedules_[at]);
    const auto outcome = static_cast<model::DueOutcome>(below(5));
    batch.ledger.push_back(
        {schedules_[at].uid, at_second(now_s_), at_second(now_s_), 1, outcome, some_task()});
  }
  if (chance(4)) {
    batch.dropped_schedules.push_back(schedules_[at].uid);
    schedules_.erase(schedules_.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

void Workload::put(engine::Batch& batch, const model::Task& task) {
  batch.tasks.push_back(task);
  model::Event event = plain_event(++last_event_, task);
  event.at = at_second(now_s_);
  batch.events.push_back(std::move(event));
}

void Workload::add_run(engine::Batch& batch) {
  const engine::JobRow& row = jobs_[below(jobs_.size())];
  if (row.deleted) return;
  model::Task run = plain_run(++last_task_, row.job->uid.value, State::kQueued);
  run.job_version = row.job->version;
  run.created_at = at_second(now_s_);
  if (!schedules_.empty() && chance(30)) {
    run.schedule = schedules_[below(schedules_.size())].uid;
    run.trigger = model::Trigger::kSchedule;
    run.due_at = run.created_at;
  }
  if (chance(10)) {
    run.parameters = std::make_shared<const model::RunParameters>(
        model::RunParameters{{{"N", std::to_string(last_task_)}}, "by hand"});
  }
  put(batch, run);
  live_.push_back({std::move(run), {}});
}

State Workload::some_end() {
  return chance(60) ? State::kDone : chance(50) ? State::kFailed : State::kAborted;
}

void Workload::change_live(engine::Batch& batch) {
  for (std::uint64_t count = below(8); count > 0 && !live_.empty(); --count) {
    const std::size_t at = below(live_.size());
    Tree& tree = live_[at];
    if (chance(40)) {
      model::Task attempt = plain_attempt(++last_task_, tree.run, State::kCreated);
      attempt.created_at = at_second(now_s_);
      put(batch, attempt);
      tree.attempts.push_back(std::move(attempt));
    } else if (chance(40)) {
      tree.run.state = State::kRunning;
      tree.run.started_at = at_second(now_s_);
      tree.run.message = chance(50) ? "" : "started at " + std::to_string(now_s_);
      put(batch, tree.run);
    } else {
      end_tree(batch, at);
    }
  }
}

// The run ends first; now and then an attempt outlives it for a while.
void Workload::end_tree(engine::Batch& batch, std::size_t at) {
  Tree& tree = live_[at];
  bool all_ended = true;
  for (model::Task& attempt : tree.attempts) {
    if (model::is_final(attempt.state)) continue;
    if (chance(20)) {
      all_ended = false;
      continue;
    }
    attempt = ended(attempt, some_end(), at_second(now_s_));
    put(batch, attempt);
  }
  if (!model::is_final(tree.run.state)) {
    tree.run = ended(tree.run, some_end(), at_second(now_s_));
    put(batch, tree.run);
  }
  if (all_ended) live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(at));
}

void Workload::change_the_rest(engine::Batch& batch) {
  if (chance(20)) {
    batch.locks.push_back(
        {"lock-" + std::to_string(below(4)), below(1000), some_task(), some_time()});
  }
  if (chance(10))
    batch.secrets.push_back({"path-" + std::to_string(below(4)), "sealed", some_time()});
  if (chance(10)) {
    model::Record record;
    record.id = RecordId{1 + below(6)};
    record.family = "family";
    record.name = "name-" + std::to_string(record.id.value);
    record.text = chance(50) ? "{}" : R"({"a":1})";
    if (chance(50)) record.sealed = {{"password", "sealed"}};
    record.modified_at = some_time();
    batch.records.push_back(record);
  }
  if (chance(5)) batch.dropped_records.push_back(RecordId{1 + below(6)});
  if (chance(5)) batch.dropped_secrets.push_back("path-" + std::to_string(below(4)));
  if (chance(8)) {
    batch.sweeps.push_back(
        {some_time(), static_cast<std::uint32_t>(below(8)), chance(50) ? some_time() : kNever});
  }
}

std::string Workload::some_uuid() {
  return chance(5) ? "" : "0badcafe-0000-4000-8000-00000000000" + std::to_string(below(10));
}

void Workload::add_operation(engine::Batch& batch) {
  const model::Task* parent =
      operations_.empty() || chance(20) ? nullptr : &operations_[below(operations_.size())];
  model::Task task = plain_operation(++last_task_, parent);
  model::Operation what = *task.operation;
  what.module = parent ? parent->operation->module : some_module();
  what.lane = static_cast<std::uint32_t>(below(2));
  what.sequence = last_task_;
  what.internal = parent && chance(80);
  what.abortable = chance(50);
  if (chance(20)) what.uuid = some_uuid();
  if (chance(20)) what.labels = {{"n", std::to_string(last_task_)}};
  if (chance(20)) what.expected = static_cast<double>(below(100)) / 3;
  task.operation = std::make_shared<const model::Operation>(std::move(what));
  task.state = chance(30) ? State::kCreated : State::kRunning;
  task.created_at = at_second(now_s_);
  task.started_at = task.state == State::kRunning ? task.created_at : kNever;
  put(batch, task);
  operations_.push_back(std::move(task));
}

void Workload::change_operations(engine::Batch& batch) {
  for (std::uint64_t count = below(12); count > 0 && !operations_.empty(); --count) {
    const std::size_t at = below(operations_.size());
    model::Task& task = operations_[at];
    if (chance(50)) {
      task.tally.counts = true;
      task.tally.completed += static_cast<double>(below(50)) / 7;
      task.tally.total = 1000;
      task.tally.unfolded += chance(10) ? 1 : 0;
      batch.tasks.push_back(task);
    } else if (chance(20)) {
      task.state = State::kRunning;
      task.started_at = at_second(now_s_);
      task.stopping = chance(30);
      if (chance(20)) task.message = "noted at " + std::to_string(now_s_);
      put(batch, task);
    } else {
      end_operation(batch, at);
    }
  }
}

// A child is folded into a live parent when nothing below it is live.
void Workload::end_operation(engine::Batch& batch, std::size_t at) {
  model::Task task = ended(operations_[at], some_end(), at_second(now_s_));
  operations_.erase(operations_.begin() + static_cast<std::ptrdiff_t>(at));
  model::Task* parent = nullptr;
  bool leaf = true;
  for (model::Task& each : operations_) {
    if (each.id == task.parent) parent = &each;
    leaf = leaf && each.parent != task.id;
  }
  if (parent && leaf) {
    task.tally.fold = last_event_ + 1;
    ++parent->tally.children;
    if (model::is_failing(task)) ++parent->tally.failing;
    parent->tally.children_completed += task.tally.completed;
    batch.tasks.push_back(*parent);
  }
  put(batch, task);
  if (!task.parent) batch.listings.push_back(plain_listing(task, some_until()));
}

void Workload::change_listings(engine::Batch& batch) {
  if (!operations_.empty() && chance(60)) {
    const model::Task& live = operations_[below(operations_.size())];
    batch.listings.push_back(plain_listing(live, chance(90) ? model::kForever : kNever));
  }
  if (chance(20)) {
    batch.lanes.push_back(
        {some_module(), static_cast<std::uint32_t>(below(3)), last_task_ + below(5)});
  }
  if (chance(10)) {
    batch.clock = model::ClockRecord{.trusted = at_second(now_s_), .steps = {}};
    for (std::uint64_t step = below(3); step > 0; --step) {
      batch.clock->steps.insert(batch.clock->steps.begin(), {TaskId{step}, Duration{now_s_}});
    }
  }
  // A listing may be of any task, also of one that is gone.
  if (chance(10)) batch.listings.push_back({some_task(), some_module(), 0, false, some_until()});
  if (chance(3)) batch.drains.push_back({some_module()});
  if (chance(2)) batch.dropped_modules.push_back(some_module());
}

// Few instants, so that many listings end at the same one.
Time Workload::some_until() {
  return at_second((now_s_ + static_cast<std::int64_t>(below(2000))) / 500 * 500);
}

// From long before the first run to a little after now.
Time Workload::some_time() {
  return at_second(now_s_ - 20'000 + static_cast<std::int64_t>(below(22'000)));
}

engine::TaskQuery Workload::task_query() {
  engine::TaskQuery query;
  if (chance(25)) query.parent = chance(60) ? TaskId{} : some_task();
  if (chance(25)) query.job = some_job();
  if (chance(25)) query.job_id = "job-" + std::to_string(below(6));
  if (chance(10)) query.name = "run-" + std::to_string(some_task().value);
  for (std::uint64_t count = chance(40) ? below(4) : 0; count > 0; --count) {
    query.states.push_back(static_cast<State>(below(model::kStateCount)));
  }
  if (chance(10)) query.schedule = some_schedule();
  if (chance(25)) query.created_from = some_time();
  if (chance(25)) query.created_until = some_time();
  if (chance(40)) query.after = some_task();
  if (chance(40)) query.order = engine::Order::kOldestFirst;
  query.limit = static_cast<std::uint32_t>(chance(80) ? below(30) : 5000);
  return query;
}

engine::ChildQuery Workload::child_query() {
  engine::ChildQuery query;
  query.parent = some_task();
  // Half of the time the parent is one that may have many children.
  if (chance(50) && !operations_.empty()) query.parent = operations_[below(operations_.size())].id;
  query.which = static_cast<engine::Fold>(below(3));
  if (chance(40)) query.after = below(std::max(last_task_, last_event_) + 2);
  query.limit = static_cast<std::uint32_t>(chance(80) ? below(30) : 5000);
  return query;
}

engine::ListedQuery Workload::listed_query() {
  engine::ListedQuery query;
  query.module = some_module();
  query.lane = static_cast<std::uint32_t>(below(2));
  query.internal = chance(30);
  if (chance(80)) query.now = at_second(now_s_ + static_cast<std::int64_t>(below(1000)));
  if (chance(40)) {
    query.after = some_task();
    query.after_until = chance(20) ? model::kForever : some_until();
  }
  query.limit = static_cast<std::uint32_t>(chance(60) ? below(10) : 5000);
  return query;
}

engine::EventQuery Workload::event_query() {
  engine::EventQuery query;
  if (chance(30)) query.root = some_task();
  if (chance(30)) query.task = some_task();
  if (chance(30)) query.job = some_job();
  if (chance(60)) query.after = EventSeq{below(last_event_ + 2)};
  query.limit = static_cast<std::uint32_t>(chance(80) ? below(30) : 5000);
  return query;
}

}  // namespace docket::conformance
