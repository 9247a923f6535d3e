#include "conformance/samples.h"

#include <limits>

#include "kinds/process/spec.h"

namespace docket::conformance {
namespace {

const std::string kOdd = "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x90\x8B \"'\\ \n\t;--";

// Rows made later have later times, as long as their numbers are small.
Time second_of(std::uint64_t number) {
  return at_second(static_cast<std::int64_t>(number % 1'000'000'000));
}

kinds::ProcessSpec rich_spec() {
  kinds::ProcessSpec spec;
  spec.cpus = 0.01;
  spec.mem = 32.5;
  spec.disk = 1e6;
  spec.gpus = 2;
  spec.cmd = "echo '" + kOdd + "'";
  spec.user = "nobody";
  spec.env = {{"B", "2"}, {"A", ""}, {"PASSWORD", kinds::SecretRef{"pw"}}};
  spec.secrets = {{"pw", "prod/db"}};
  spec.constraints = {{"@hostname", model::ConstraintOperator::kLike, "node.*"}};
  spec.artifacts = {{"http://localhost/a.tgz", false, true, true}};
  spec.restart = {.policy = kinds::RestartPolicy::kOnFailure, .active_deadline_s = 120};
  spec.locks = {{"db", model::LockWait::kFail}};
  spec.on_lost = kinds::OnLost::kRestart;
  return spec;
}

}  // namespace

engine::JobRow plain_job(std::uint64_t uid, const std::string& id, std::uint32_t version) {
  model::Job job;
  job.uid = JobUid{uid};
  job.version = version;
  job.created_at = at_second(1000);
  job.updated_at = at_second(1000 + version);
  job.definition.id = id;
  job.definition.description = "version " + std::to_string(version);
  kinds::ProcessSpec spec;
  spec.cmd = "true";
  job.definition.spec = kinds::spec_of(spec);
  engine::JobRow row;
  row.job = std::make_shared<const model::Job>(std::move(job));
  return row;
}

engine::JobRow rich_job(std::uint64_t uid) {
  model::Job job;
  job.uid = JobUid{uid};
  job.version = std::numeric_limits<std::uint32_t>::max();
  job.created_at = from_micros(std::numeric_limits<std::int64_t>::min());
  job.updated_at = from_micros(std::numeric_limits<std::int64_t>::max());
  job.definition.id = "prod.e-mail";
  job.definition.description = kOdd;
  job.definition.labels = {{"z", "last first"}, {"a", kOdd}, {"", ""}};
  job.definition.dependencies = {"prod.a", "prod.b"};
  job.definition.spec = kinds::spec_of(rich_spec());
  engine::JobRow row;
  row.job = std::make_shared<const model::Job>(std::move(job));
  row.stats = {std::numeric_limits<std::uint64_t>::max(), 1, at_second(5), at_second(6)};
  row.dependency_started_at = at_second(7);
  row.last_run_state = model::State::kAborted;
  row.held_back = true;
  row.handed_on = std::make_shared<const model::RunParameters>(
      model::RunParameters{{{"A", kOdd}}, kOdd, model::Starter{TaskId{7}, kOdd, "prod.a"}});
  return row;
}

model::Task plain_run(std::uint64_t id, std::uint64_t job, model::State state) {
  model::Task run;
  run.id = run.root = TaskId{id};
  run.job = JobUid{job};
  run.job_version = 1;
  run.state = state;
  run.name = "run-" + std::to_string(id);
  run.created_at = second_of(id);
  return run;
}

model::Task plain_attempt(std::uint64_t id, const model::Task& run, model::State state) {
  model::Task attempt;
  attempt.id = TaskId{id};
  attempt.parent = attempt.root = run.id;
  attempt.job = run.job;
  attempt.job_version = run.job_version;
  attempt.kind = model::TaskKind::kAttempt;
  attempt.state = state;
  attempt.created_at = second_of(id);
  return attempt;
}

model::Task rich_run(std::uint64_t id, std::uint64_t job) {
  model::Task run = plain_run(id, job, model::State::kPaused);
  run.job_version = std::numeric_limits<std::uint32_t>::max();
  run.trigger = model::Trigger::kDependency;
  run.stopping = true;
  run.name = kOdd;
  run.created_at = from_micros(-1);
  run.started_at = from_micros(std::numeric_limits<std::int64_t>::max());
  run.finished_at = from_micros(std::numeric_limits<std::int64_t>::min());
  run.schedule = ScheduleUid{77};
  run.due_at = at_second(8);
  run.start_deadline = at_second(9);
  run.exit_code = std::numeric_limits<std::int32_t>::min();
  run.signal = std::numeric_limits<std::int32_t>::max();
  run.message = std::string("before\0after", 12) + kOdd;
  run.parameters = std::make_shared<const model::RunParameters>(model::RunParameters{
      {{"Z", kOdd}, {"A", ""}}, kOdd, model::Starter{TaskId{9}, "earlier", "prod.b"}});
  return run;
}

model::Task plain_step(std::uint64_t id, const model::Task& above, const std::string& key) {
  model::Task step = plain_operation(id, &above);
  step.job = above.job;
  step.job_version = above.job_version;
  step.planned = std::make_shared<const model::Planned>(model::Planned{.key = key});
  return step;
}

model::Task plain_operation(std::uint64_t id, const model::Task* parent) {
  model::Task task;
  task.id = task.root = TaskId{id};
  if (parent) {
    task.parent = parent->id;
    task.root = parent->root;
  }
  task.kind = model::TaskKind::kOperation;
  task.state = model::State::kRunning;
  task.created_at = task.started_at = second_of(id);
  model::Operation what;
  what.module = "backups";
  what.type = "backup";
  what.sequence = 1;
  what.internal = parent != nullptr;
  task.operation = std::make_shared<const model::Operation>(std::move(what));
  return task;
}

model::Task rich_operation(std::uint64_t id) {
  model::Task task = plain_operation(id);
  task.stopping = true;
  task.message = kOdd;
  model::Operation what;
  what.uuid = "0badcafe-0000-4000-8000-000000000001";
  what.module = kOdd;
  what.type = "major compaction";
  what.scope = "keyspace";
  what.keyspace = "ks";
  what.table = kOdd;
  what.entity = std::string("before\0after", 12);
  what.units = "bytes";
  what.labels = {{"z", "last first"}, {"a", kOdd}, {"", ""}};
  what.lane = std::numeric_limits<std::uint32_t>::max();
  what.sequence = std::numeric_limits<std::uint64_t>::max();
  what.expected = 0.1;
  what.lease = Duration::max();
  what.abortable = what.internal = what.cluster = what.user = what.local = true;
  task.operation = std::make_shared<const model::Operation>(std::move(what));
  task.tally = {true, 1.0 / 3, std::numeric_limits<double>::max(),
                7,    3,       std::numeric_limits<double>::denorm_min(),
                -0.5, 0};
  return task;
}

model::Task folded(model::Task operation, std::uint64_t fold, model::State state) {
  operation = ended(std::move(operation), state, second_of(fold));
  operation.tally.fold = fold;
  return operation;
}

model::Listing plain_listing(const model::Task& operation, Time until) {
  const model::Operation& what = *operation.operation;
  return {operation.id, what.module, what.lane, what.internal, until};
}

model::Task ended(model::Task task, model::State state, Time when) {
  task.state = state;
  task.finished_at = when;
  return task;
}

model::Event plain_event(std::uint64_t seq, const model::Task& task) {
  model::Event event;
  event.seq = EventSeq{seq};
  event.at = second_of(seq);
  event.type = task.parent ? model::EventType::kAttemptChanged : model::EventType::kRunChanged;
  event.job = task.job;
  event.task = task.id;
  event.root = task.root;
  event.after = task.state;
  event.job_id = "job-" + std::to_string(task.job.value);
  return event;
}

model::Schedule plain_schedule(std::uint64_t uid, std::uint64_t job) {
  model::ScheduleDefinition definition{"default", *Cron::parse("0 2 * * *"), Zone{}};
  return {
      ScheduleUid{uid}, JobUid{job}, std::move(definition), at_second(1), at_second(2), {}, {}, {}};
}

model::Schedule rich_schedule(std::uint64_t uid, std::uint64_t job) {
  model::ScheduleDefinition definition{kOdd, *Cron::parse("*/7 1-5 1,15 JAN-MAR MON"),
                                       *Zone::find("Europe/Rome")};
  definition.starting_deadline_s = std::numeric_limits<std::int64_t>::max();
  definition.policy = model::ConcurrencyPolicy::kReplace;
  definition.enabled = false;
  definition.missed = model::MissedPolicy::kAll;
  definition.missed_limit = std::numeric_limits<std::uint32_t>::max();
  return {ScheduleUid{uid}, JobUid{job},  std::move(definition), at_second(3),
          at_second(4),     at_second(5), at_second(6),          at_second(7)};
}

model::LedgerEntry plain_entry(std::uint64_t schedule, std::int64_t first_s, std::int64_t last_s) {
  model::LedgerEntry entry;
  entry.schedule = ScheduleUid{schedule};
  entry.first_due = at_second(first_s);
  entry.last_due = at_second(last_s);
  return entry;
}

}  // namespace docket::conformance
