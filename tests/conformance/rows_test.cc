// Every kind of row goes in and comes out unchanged, also after opening the store anew.

#include <limits>

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "conformance/store_under_test.h"

namespace docket::conformance {
namespace {

using model::State;

TEST_P(StoreConformance, AnEmptyStoreHasNothing) {
  EXPECT_EQ(describe(load()), describe(engine::Snapshot{}));
  EXPECT_EQ(describe(reader().tasks({})), "");
  EXPECT_EQ(describe(reader().events({})), "");
  EXPECT_EQ(describe(reader().task(TaskId{1})), "none");
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 1)), "none");
  EXPECT_EQ(describe(reader().history({JobUid{1}})), "");
  EXPECT_EQ(describe(reader().children({TaskId{1}})), "");
  EXPECT_EQ(describe(reader().listed({.module = "backups"})), "");
  EXPECT_EQ(describe(reader().listing(TaskId{1})), "none");
  EXPECT_EQ(describe(reader().task_of_uuid("")), "none");
}

TEST_P(StoreConformance, AnEmptyBatchIsFine) {
  commit({});
  EXPECT_EQ(describe(load()), describe(engine::Snapshot{}));
}

TEST_P(StoreConformance, JobsKeepEveryMember) {
  const std::vector jobs{plain_job(1, "a"), rich_job(2)};
  commit({.jobs = jobs});
  reopen();
  EXPECT_EQ(describe(load().jobs), describe(jobs));
  EXPECT_EQ(describe(reader().job_version(JobUid{2}, jobs[1].job->version)), describe(jobs[1].job));
}

TEST_P(StoreConformance, ASpecOfAnyKindIsKeptAsItIs) {
  auto row = plain_job(1, "a");
  auto job = std::make_shared<model::Job>(*row.job);
  job->definition.spec = {.kind = "dance",
                          .body = std::make_shared<model::UnreadSpec>(
                              R"({"steps":[1,0.5,"left"],"run":{"z":1,"a":2}})")};
  row.job = job;
  commit({.jobs = {row}});
  reopen();
  EXPECT_EQ(describe(load().jobs), describe(std::vector{row}));
  EXPECT_EQ(load().jobs[0].job->definition, job->definition);
}

TEST_P(StoreConformance, TasksKeepEveryMember) {
  engine::Batch batch{.jobs = {plain_job(1, "a"), rich_job(2)}};
  const model::Task run = rich_run(10, 2);
  const model::Task attempt = plain_attempt(11, run, State::kRunning);
  batch.tasks = {run, attempt};
  commit(batch);
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(batch.tasks));
  EXPECT_EQ(describe(reader().task(run.id)),
            describe(engine::TaskRow{run, "prod.e-mail", "process"}));
  EXPECT_EQ(describe(reader().task(attempt.id)),
            describe(engine::TaskRow{attempt, "prod.e-mail", "process"}));
}

TEST_P(StoreConformance, ALiveRunIsLoadedWithItsNewestAndItsLiveAttempts) {
  const model::Task run = plain_run(10, 1, State::kRunning);
  engine::Batch batch{.jobs = {plain_job(1, "a")}, .tasks = {run}};
  std::vector<model::Task> expected{run};
  constexpr std::uint64_t kAttempts = engine::kAttemptsKept + 50;
  for (std::uint64_t id = 11; id < 11 + kAttempts; ++id) {
    const model::Task attempt = plain_attempt(id, run, State::kRunning);
    const bool lives = id == 20;
    batch.tasks.push_back(lives ? attempt : ended(attempt, State::kFailed, at_second(9)));
    if (lives || id >= 11 + kAttempts - engine::kAttemptsKept)
      expected.push_back(batch.tasks.back());
  }
  commit(batch);
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(expected));
  EXPECT_EQ(reader().tasks({.parent = run.id, .limit = engine::kMaxPage})->size(), kAttempts);
}

TEST_P(StoreConformance, OperationsKeepEveryMember) {
  const model::Task rich = rich_operation(10);
  const model::Task child = plain_operation(11, &rich);
  commit({.tasks = {rich, child}});
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(std::vector{rich, child}));
  EXPECT_EQ(describe(reader().task(rich.id)), describe(engine::TaskRow{rich, ""}));
  const std::vector<engine::TaskRow> both{{child, ""}, {rich, ""}};
  EXPECT_EQ(describe(reader().tasks({})), describe(both));
  EXPECT_EQ(describe(reader().children({rich.id})), describe(std::vector{both[0]}));
  EXPECT_EQ(describe(reader().task_of_uuid(rich.operation->uuid)), "10");
}

// The put for a reporter's figures may be a quicker one, but must not store less.
TEST_P(StoreConformance, ProgressAndWhatChangesWithItAreKept) {
  model::Task task = plain_operation(10);
  commit({.tasks = {task}});
  const auto expect_kept = [&] {
    commit({.tasks = {task}});
    EXPECT_EQ(describe(reader().task(task.id)), describe(engine::TaskRow{task, ""}));
  };
  task.tally = {true, 0.25, 100, 0, 0, 0, 0, 0};
  expect_kept();
  task.tally = {true, 1e300, 1e300, 5, 2, 0.1, 0.2, 0};
  expect_kept();
  task.stopping = true;
  expect_kept();
  task.tally.completed = 3;
  task.message = "hears";
  expect_kept();
  task.message.clear();
  expect_kept();
  reopen();
  task.tally.completed = 4;
  expect_kept();
  task.started_at = at_second(77);
  expect_kept();
  task = folded(task, 12, State::kAborted);
  expect_kept();
}

TEST_P(StoreConformance, LiveOperationsAndThoseAboveThemAreLoaded) {
  const model::Task root = plain_operation(1);
  const model::Task over = ended(plain_operation(2, &root), State::kDone, at_second(9));
  const model::Task late = plain_operation(3, &over);
  const model::Task gone = folded(plain_operation(4, &root), 1, State::kFailed);
  const model::Task ended_root = ended(plain_operation(5), State::kDone, at_second(9));
  const model::Task orphan = plain_operation(6, &ended_root);
  const model::Task sibling = folded(plain_operation(7, &ended_root), 2);
  commit({.tasks = {root, over, late, gone, ended_root, orphan, sibling}});
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(std::vector{root, over, late, ended_root, orphan}));
  EXPECT_EQ(load().last_task, TaskId{7});
}

TEST_P(StoreConformance, WhatAKindSaysIsKept) {
  commit({.jobs = {plain_job(1, "a")}});
  model::Task run = plain_run(1, 1, State::kRunning);
  model::Task step = plain_step(2, run, "node-1");
  commit({.tasks = {run, step}});
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run, step}));
  run.planned = std::make_shared<const model::Planned>(model::Planned{
      .word = "canary", .facts = R"({"n":1})", .cells = {{"z", "1"}, {"a", "\"\n\xC3\xA4"}}});
  auto said = *step.planned;
  said.word = "draining";
  said.facts = "{}";
  step.planned = std::make_shared<const model::Planned>(said);
  commit({.tasks = {run, step}});
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run, step}));
  EXPECT_EQ(describe(reader().children({run.id})),
            describe(std::vector{engine::TaskRow{step, "a", "process"}}));
}

TEST_P(StoreConformance, AnAttemptKeepsItsExecutorAndTheNumberOfItsReports) {
  commit({.jobs = {plain_job(1, "a")}});
  const model::Task run = plain_run(1, 1, State::kRunning);
  model::Task attempt = plain_attempt(2, run, State::kRunning);
  attempt.work = std::make_shared<const model::Work>(model::Work{.executor = "elsewhere"});
  commit({.tasks = {run, attempt}});
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run, attempt}));
  attempt.work = std::make_shared<const model::Work>(
      model::Work{.executor = "elsewhere", .seq = std::numeric_limits<std::int64_t>::max()});
  commit({.tasks = {attempt}});
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run, attempt}));
}

TEST_P(StoreConformance, TheEpochIsKeptUntilTheNextOne) {
  EXPECT_EQ(load().epoch, 0U);
  commit({.epoch = 7});
  commit({.tasks = {plain_run(1)}});
  reopen();
  EXPECT_EQ(load().epoch, 7U);
  commit({.epoch = 8});
  EXPECT_EQ(load().epoch, 8U);
}

TEST_P(StoreConformance, AllStayingStepsOfALiveRunAreLoadedAtEveryDepth) {
  commit({.jobs = {plain_job(1, "a")}});
  const model::Task run = plain_run(1, 1, State::kRunning);
  const model::Task rack = plain_step(2, run, "rack");
  std::vector<model::Task> tasks{run, rack};
  for (std::uint64_t id = 3; id < 153; ++id) {
    tasks.push_back(ended(plain_step(id, rack, std::to_string(id)), State::kDone, at_second(9)));
  }
  const model::Task attempt = plain_attempt(153, tasks.back(), State::kDone);
  std::vector<model::Task> all = tasks;
  all.push_back(attempt);
  // 154 to 303 fold: still, as many are loaded as are newest children of their parent.
  for (std::uint64_t id = 154; id < 304; ++id) {
    all.push_back(folded(plain_step(id, rack, std::to_string(id)), id));
  }
  commit({.tasks = all});
  reopen();
  std::vector<model::Task> expected = tasks;
  expected.push_back(attempt);
  expected.insert(expected.end(), all.end() - 100, all.end());
  EXPECT_EQ(describe(load().tasks), describe(expected));
}

TEST_P(StoreConformance, LanesKeepEveryMemberUntilTheirModuleIsDropped) {
  constexpr auto kHighest = std::numeric_limits<std::uint32_t>::max();
  const std::vector<model::Lane> lanes{
      {"", 0, 0}, {"a", 0, 7}, {"a", kHighest, std::numeric_limits<std::uint64_t>::max()}};
  commit({.lanes = {lanes[2], lanes[1], lanes[0], {"b", 0, 3}}});
  commit({.dropped_modules = {"b", "never was"}});
  reopen();
  EXPECT_EQ(describe(load().lanes), describe(lanes));
  // Dropped and there again in one batch: it begins anew.
  commit({.dropped_modules = {"a"}, .lanes = {{"a", 0, 1}}});
  EXPECT_EQ(describe(load().lanes), describe(std::vector<model::Lane>{{"", 0, 0}, {"a", 0, 1}}));
}

TEST_P(StoreConformance, TheClockKeepsEveryMemberAndIsReplaced) {
  EXPECT_FALSE(load().clock);
  commit(
      {.clock = model::ClockRecord{.trusted = at_second(1), .steps = {{TaskId{3}, Duration{9}}}}});
  const model::ClockRecord odd{
      .read = {.wall = at_second(-5),
               .elapsed = Duration::max(),
               .boot = std::numeric_limits<std::uint64_t>::max()},
      .trusted = from_micros(std::numeric_limits<std::int64_t>::min()),
      .pending = from_micros(std::numeric_limits<std::int64_t>::max()),
      .agreed = Duration{7},
      .steps = {{TaskId{1}, Duration::min()}, {TaskId{2}, Duration::max()}}};
  commit({.clock = odd});
  reopen();
  EXPECT_EQ(load().clock, odd);
  commit({.tasks = {plain_run(1)}});
  EXPECT_EQ(load().clock, odd) << "a batch without one leaves it as it is";
}

TEST_P(StoreConformance, ListingsKeepEveryMemberAndAreReplaced) {
  const model::Listing odd{TaskId{9}, "modül", std::numeric_limits<std::uint32_t>::max(), true,
                           at_second(5)};
  commit({.listings = {{TaskId{9}, "a", 0, false, model::kForever}, odd}});
  reopen();
  EXPECT_EQ(describe(reader().listing(TaskId{9})), describe(odd));
  commit({.listings = {{TaskId{9}, "", 0, false, kNever}}});
  EXPECT_EQ(describe(reader().listing(TaskId{9})), "none");
}

TEST_P(StoreConformance, ADrainForgetsEndedTasks) {
  const model::Listing live{TaskId{1}, "a", 0, false, model::kForever};
  const model::Listing ended_one{TaskId{2}, "a", 1, true, at_second(5)};
  const model::Listing other{TaskId{3}, "b", 0, false, at_second(5)};
  commit({.listings = {live, ended_one, other}});
  commit({.drains = {{"a"}, {"never was"}}});
  reopen();
  EXPECT_EQ(describe(reader().listing(live.task)), describe(live));
  EXPECT_EQ(describe(reader().listing(ended_one.task)), "none");
  EXPECT_EQ(describe(reader().listing(other.task)), describe(other));
  // Listings of the same batch come after the drain, and after the drop of a module.
  commit({.drains = {{"b"}}, .listings = {other}});
  EXPECT_EQ(describe(reader().listing(other.task)), describe(other));
  commit({.dropped_modules = {"a"}, .listings = {ended_one}});
  EXPECT_EQ(describe(reader().listing(live.task)), "none");
  EXPECT_EQ(describe(reader().listing(ended_one.task)), describe(ended_one));
}

TEST_P(StoreConformance, AnOperationWithoutItsDescriptionIsRefused) {
  model::Task task = plain_operation(1);
  task.operation = nullptr;
  const Result<> refused = store_->commit({.tasks = {task}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInternal);
  reopen();
  EXPECT_EQ(describe(reader().tasks({})), "");
}

TEST_P(StoreConformance, HighNumbersAreKept) {
  constexpr auto kHighest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  model::Task run = plain_run(kHighest, kHighest);
  model::Event event = plain_event(kHighest, run);
  commit({.jobs = {plain_job(kHighest, "high")}, .tasks = {run}, .events = {event}});
  reopen();
  const engine::Snapshot snapshot = load();
  EXPECT_EQ(snapshot.last_task.value, kHighest);
  EXPECT_EQ(snapshot.last_job.value, kHighest);
  EXPECT_EQ(snapshot.last_event.value, kHighest);
  EXPECT_EQ(describe(snapshot.tasks), describe(std::vector{run}));
  EXPECT_EQ(describe(reader().events({.root = run.id})), describe(std::vector{event}));
  EXPECT_EQ(describe(reader().tasks({})),
            describe(std::vector{engine::TaskRow{run, "high", "process"}}));
}

TEST_P(StoreConformance, EventsKeepEveryMember) {
  model::Event job_event;
  job_event.seq = EventSeq{1};
  job_event.at = from_micros(std::numeric_limits<std::int64_t>::min());
  job_event.type = model::EventType::kJobDeleted;
  job_event.job = JobUid{3};
  job_event.job_id = "ünï.code";
  model::Event run_event = plain_event(2, plain_run(5, 3, State::kAborted));
  run_event.before = State::kPaused;
  run_event.message = std::string("a\0b", 3);
  commit(
      {.jobs = {plain_job(3, "x")}, .tasks = {plain_run(5, 3)}, .events = {job_event, run_event}});
  reopen();
  EXPECT_EQ(describe(reader().events({})), describe(std::vector{job_event, run_event}));
}

TEST_P(StoreConformance, TheDetailOfAnEventIsReadOnRequest) {
  const model::EventDetail detail{.resource = "/etc/x",
                                  .changes = true,
                                  .before = R"({"mode":"644"})",
                                  .after = "{}",
                                  .traceback = "line 1\nline 2"};
  model::Event event = plain_event(1, plain_run(5, 3, State::kRunning));
  event.subtype = "change/file-contents";
  const model::Event listed = event;
  event.detail = std::make_shared<const model::EventDetail>(detail);
  const model::Event plain = plain_event(2, plain_run(5, 3, State::kRunning));
  commit({.jobs = {plain_job(3, "x")}, .tasks = {plain_run(5, 3)}, .events = {event, plain}});
  reopen();
  EXPECT_EQ(describe(reader().events({})), describe(std::vector{listed, plain}));
  EXPECT_EQ(describe(reader().event(EventSeq{1}).value().value()), describe(event));
  EXPECT_EQ(describe(reader().event(EventSeq{2}).value().value()), describe(plain));
  EXPECT_FALSE(reader().event(EventSeq{3}).value());
}

TEST_P(StoreConformance, OnlyTheNewestResultIsKeptAndItGoesWithItsTask) {
  const model::Task run = ended(plain_run(5, 3), State::kDone, at_second(10));
  commit({.jobs = {plain_job(3, "x")}, .tasks = {run}, .results = {{run.id, "[1]"}}});
  commit({.results = {{run.id, R"({"ü":2})"}}});
  reopen();
  EXPECT_EQ(reader().result(run.id).value(), R"({"ü":2})");
  EXPECT_EQ(reader().result(TaskId{6}).value(), std::nullopt);
  model::Event event = plain_event(1, run);
  event.detail = std::make_shared<const model::EventDetail>(model::EventDetail{.changes = true});
  commit({.events = {event}});
  commit({.sweeps = {{.finished_before = at_second(11), .max_roots = 10}}});
  EXPECT_EQ(reader().result(run.id).value(), std::nullopt);
  EXPECT_FALSE(reader().event(EventSeq{1}).value());
}

TEST_P(StoreConformance, SchedulesKeepEveryMember) {
  const std::vector schedules{plain_schedule(1, 1), rich_schedule(2, 1)};
  commit({.jobs = {plain_job(1, "a")}, .schedules = schedules});
  reopen();
  EXPECT_EQ(describe(load().schedules), describe(schedules));
}

TEST_P(StoreConformance, LocksAndSecretsKeepEveryMember) {
  engine::Batch batch;
  batch.locks = {{"", 0, TaskId{}, kNever},
                 {"db ü", std::numeric_limits<std::uint64_t>::max(), TaskId{9}, at_second(1)}};
  batch.secrets = {{"", "", kNever}, {"prod/db", "v1:c2VhbGVk", at_second(2)}};
  commit(batch);
  reopen();
  EXPECT_EQ(describe(load().locks), describe(batch.locks));
  EXPECT_EQ(describe(load().secrets), describe(batch.secrets));
}

TEST_P(StoreConformance, RecordsKeepEveryMemberAndTheirNumbersAreNotReused) {
  const model::Record rich{.id = RecordId{7},
                           .family = "rollout.node",
                           .parent = RecordId{3},
                           .name = "n \"1\" \xC3\xA4",
                           .text = R"({"rack":"r1","facts":{"a":[1,2.5]}})",
                           .sealed = {{"password", "v1:abc"}, {"key", "v1:def"}},
                           .created_at = at_second(1),
                           .modified_at = at_second(2),
                           .created_by = "ann",
                           .modified_by = "bob"};
  model::Record plain{.id = RecordId{3}, .family = "rollout.dc", .name = "dc1", .text = "{}"};
  commit({.records = {plain, rich}});
  reopen();
  EXPECT_EQ(describe(load().records), describe(std::vector{plain, rich}));
  plain.text = R"({"comment":"x"})";
  commit({.records = {plain}, .dropped_records = {rich.id}});
  reopen();
  EXPECT_EQ(describe(load().records), describe(std::vector{plain}));
  EXPECT_EQ(load().last_record, rich.id);
}

TEST_P(StoreConformance, LedgerEntriesKeepEveryMember) {
  const std::vector<model::LedgerEntry> entries{
      {ScheduleUid{4}, at_second(10), at_second(10), 1, model::DueOutcome::kRan, TaskId{8}},
      {ScheduleUid{4}, at_second(20), at_second(90), std::numeric_limits<std::uint64_t>::max(),
       model::DueOutcome::kMissedDown, TaskId{}},
  };
  commit({.ledger = entries});
  reopen();
  EXPECT_EQ(describe(reader().ledger(ScheduleUid{4}, kNever, at_second(100), 10)),
            describe(entries));
}

TEST_P(StoreConformance, PutsReplaceWhatWasThere) {
  engine::Batch first{.jobs = {plain_job(1, "a")}, .schedules = {plain_schedule(1, 1)}};
  model::Task run = plain_run(10);
  first.tasks = {run};
  first.locks = {{"db", 1, TaskId{10}, at_second(1)}};
  first.ledger = {
      {ScheduleUid{1}, at_second(10), at_second(10), 1, model::DueOutcome::kRan, run.id}};
  first.secrets = {{"p", "old", at_second(1)}};
  commit(first);

  engine::Batch second = first;
  second.jobs[0].stats = {1, 2, at_second(3), at_second(4)};
  second.schedules[0] = rich_schedule(1, 1);
  run.state = State::kRunning;
  run.started_at = at_second(50);
  run.start_deadline = at_second(60);
  run.stopping = true;
  run.exit_code = 3;
  run.signal = 9;
  run.message = "dying";
  second.tasks = {run};
  second.locks[0] = {"db", 2, TaskId{}, kNever};
  second.ledger[0].last_due = at_second(30);
  second.ledger[0].count = 3;
  second.secrets[0].sealed = "new";
  commit(second);
  reopen();

  const engine::Snapshot snapshot = load();
  EXPECT_EQ(describe(snapshot.jobs), describe(second.jobs));
  EXPECT_EQ(describe(snapshot.schedules), describe(second.schedules));
  EXPECT_EQ(describe(snapshot.tasks), describe(second.tasks));
  EXPECT_EQ(describe(snapshot.locks), describe(second.locks));
  EXPECT_EQ(describe(snapshot.secrets), describe(second.secrets));
  EXPECT_EQ(describe(reader().ledger(ScheduleUid{1}, kNever, at_second(99), 10)),
            describe(second.ledger));
}

TEST_P(StoreConformance, TheLastPutOfABatchCounts) {
  model::Task run = plain_run(10);
  engine::Batch batch{.jobs = {plain_job(1, "a")}, .tasks = {run}};
  run.message = "second thoughts";
  batch.tasks.push_back(run);
  commit(batch);
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run}));
}

TEST_P(StoreConformance, DroppedSchedulesAndSecretsAreGoneButTheirNumbersAreNotReused) {
  commit({.jobs = {plain_job(1, "a")},
          .schedules = {plain_schedule(1, 1), plain_schedule(5, 1)},
          .secrets = {{"p", "x", kNever}, {"q", "y", kNever}}});
  commit(
      {.dropped_schedules = {ScheduleUid{5}, ScheduleUid{99}}, .dropped_secrets = {"p", "none"}});
  reopen();
  const engine::Snapshot snapshot = load();
  EXPECT_EQ(describe(snapshot.schedules), describe(std::vector{plain_schedule(1, 1)}));
  EXPECT_EQ(snapshot.last_schedule, ScheduleUid{5});
  ASSERT_EQ(snapshot.secrets.size(), 1U);
  EXPECT_EQ(snapshot.secrets[0].path, "q");
}

TEST_P(StoreConformance, JobVersionsAreFrozen) {
  commit({.jobs = {plain_job(1, "a", 1)}, .tasks = {plain_run(10)}});
  const engine::JobRow newer = plain_job(1, "a", 2);
  commit({.jobs = {newer}});
  reopen();
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 1)), describe(plain_job(1, "a", 1).job));
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 2)), describe(newer.job));
  const engine::Snapshot snapshot = load();
  EXPECT_EQ(describe(snapshot.jobs), describe(std::vector{newer}));
  EXPECT_EQ(describe(snapshot.frozen), describe(std::vector{plain_job(1, "a", 1).job}));
}

TEST_P(StoreConformance, ADeletedJobLivesOnWithItsRunsAndFreesItsId) {
  engine::JobRow old = plain_job(1, "a");
  commit({.jobs = {old}, .tasks = {plain_run(10, 1)}});
  old.deleted = true;
  const engine::JobRow fresh = plain_job(2, "a");
  commit({.jobs = {fresh, old}, .tasks = {plain_run(11, 2)}});
  reopen();
  EXPECT_EQ(describe(load().jobs), describe(std::vector{old, fresh}));
  const std::vector<engine::TaskRow> both{{plain_run(11, 2), "a", "process"},
                                          {plain_run(10, 1), "a", "process"}};
  EXPECT_EQ(describe(reader().tasks({.job_id = "a"})), describe(both));

  commit({.tasks = {ended(plain_run(10, 1), State::kAborted, at_second(99))}});
  EXPECT_EQ(describe(load().jobs), describe(std::vector{fresh}));
}

TEST_P(StoreConformance, ATreeIsLiveWhileAnyMemberIs) {
  const model::Task run = plain_run(10);
  const model::Task over = plain_run(12, 1, State::kDone);
  const model::Task first = plain_attempt(13, run, State::kFailed);
  const model::Task late = plain_attempt(14, over, State::kRunning);
  const model::Task finished = plain_run(15, 1, State::kFailed);
  const model::Task its_attempt = plain_attempt(16, finished, State::kFailed);
  commit({.jobs = {plain_job(1, "a")}, .tasks = {run, over, first, late, finished, its_attempt}});
  reopen();
  EXPECT_EQ(describe(load().tasks), describe(std::vector{run, over, first, late}));
  EXPECT_EQ(load().last_task, TaskId{16});
}

}  // namespace
}  // namespace docket::conformance
