// Retention removes whole trees, oldest end first, and then what nothing refers to any more.

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "conformance/store_under_test.h"

namespace docket::conformance {
namespace {

using model::State;

engine::Batch sweep_before(std::int64_t seconds, std::uint32_t max_roots = 100) {
  return {.sweeps = {{at_second(seconds), max_roots, kNever}}};
}

TEST_P(StoreConformance, ASweepRemovesTheOldestEndedTreesWithAllThatBelongsToThem) {
  const model::Task late = ended(plain_run(1), State::kDone, at_second(300));
  const model::Task early = ended(plain_run(2), State::kFailed, at_second(100));
  const model::Task attempt = ended(plain_attempt(3, early), State::kFailed, at_second(100));
  const model::Task middle = ended(plain_run(4), State::kAborted, at_second(200));
  const model::Task live = plain_run(5);
  commit({.jobs = {plain_job(1, "a")},
          .tasks = {late, early, attempt, middle, live},
          .events = {plain_event(1, late), plain_event(2, early), plain_event(3, attempt),
                     plain_event(4, middle), plain_event(5, live)}});
  commit(sweep_before(1000, 1));
  EXPECT_EQ(reader().tasks({})->size(), 3U);
  EXPECT_EQ(describe(reader().task(attempt.id)), "none");
  EXPECT_EQ(reader().events({})->size(), 3U);

  commit(sweep_before(300));
  reopen();
  const std::vector<engine::TaskRow> left{{live, "a", "process"}, {late, "a", "process"}};
  EXPECT_EQ(describe(reader().tasks({})), describe(left));
  EXPECT_EQ(reader().events({})->size(), 2U);
  EXPECT_EQ(reader().events({.root = early.id})->size(), 0U);
  EXPECT_EQ(reader().history({JobUid{1}, false})->size(), 0U);
}

TEST_P(StoreConformance, ASweepLeavesTreesWithALiveMember) {
  const model::Task run = ended(plain_run(1), State::kDone, at_second(1));
  commit({.jobs = {plain_job(1, "a")}, .tasks = {run, plain_attempt(2, run, State::kRunning)}});
  commit(sweep_before(1000));
  EXPECT_EQ(reader().tasks({})->size(), 2U);
}

TEST_P(StoreConformance, ASweepRemovesTreesOfOperationsWithTheirListings) {
  const model::Task root = ended(plain_operation(1), State::kDone, at_second(100));
  model::Task child = folded(plain_operation(2, &root), 90, State::kFailed);
  model::Operation named = *child.operation;
  named.uuid = "0badcafe-0000-4000-8000-000000000001";
  child.operation = std::make_shared<const model::Operation>(named);
  const model::Task grandchild = folded(plain_operation(3, &child), 80, State::kFailed);
  const model::Task younger = ended(plain_operation(4), State::kFailed, at_second(200));
  const model::Task busy = ended(plain_operation(5), State::kDone, at_second(50));
  const model::Task late = plain_operation(6, &busy);
  commit({.tasks = {root, child, grandchild, younger, busy, late},
          .events = {plain_event(1, root), plain_event(2, grandchild), plain_event(3, younger)},
          .listings = {plain_listing(root, at_second(9000)), plain_listing(grandchild),
                       plain_listing(younger, at_second(9000))}});
  commit(sweep_before(200));
  reopen();
  const std::vector<engine::TaskRow> left{{late, ""}, {busy, ""}, {younger, ""}};
  EXPECT_EQ(describe(reader().tasks({})), describe(left));
  EXPECT_EQ(reader().events({})->size(), 1U);
  EXPECT_EQ(describe(reader().children({root.id, engine::Fold::kFolded})), "");
  EXPECT_EQ(describe(reader().task_of_uuid(named.uuid)), "none");
  EXPECT_EQ(describe(reader().listing(root.id)), "none");
  EXPECT_EQ(describe(reader().listing(grandchild.id)), "none");
  EXPECT_NE(describe(reader().listing(younger.id)), "none");
}

TEST_P(StoreConformance, ASweepRemovesExpiredListingsTheOldestFirst) {
  const auto is_listed = [this](std::uint64_t task) {
    return describe(reader().listing(TaskId{task})) != "none";
  };
  engine::Batch batch;
  for (std::uint64_t task : {1U, 2U, 3U, 4U, 5U}) {
    const Time until =
        task == 5 ? model::kForever : at_second(60 - 10 * static_cast<std::int64_t>(task / 2));
    batch.listings.push_back({TaskId{task}, "a", 0, false, until});  // 60 50 50 40
  }
  commit(batch);
  const auto sweep = [this](std::int64_t until, std::uint32_t max) {
    commit({.sweeps = {{kNever, max, at_second(until)}}});
  };
  commit(sweep_before(1000));
  EXPECT_TRUE(is_listed(4));
  sweep(39, 9);
  EXPECT_TRUE(is_listed(4));
  sweep(55, 2);
  EXPECT_FALSE(is_listed(4));
  EXPECT_FALSE(is_listed(2));
  EXPECT_TRUE(is_listed(3));
  commit({.sweeps = {{kNever, 9, Time::max()}}});
  EXPECT_FALSE(is_listed(1));
  EXPECT_TRUE(is_listed(5));
}

TEST_P(StoreConformance, ALargeTreeGoesInSlicesItsRootLast) {
  const model::Task root = ended(plain_run(1), State::kDone, at_second(10));
  std::vector<model::Task> tasks{root};
  for (std::uint64_t id = 2; id < 6; ++id) {
    tasks.push_back(ended(plain_attempt(id, root), State::kFailed, at_second(9)));
  }
  const model::Task next = ended(plain_run(7), State::kDone, at_second(20));
  tasks.push_back(next);
  commit({.jobs = {plain_job(1, "a")},
          .tasks = tasks,
          .events = {plain_event(1, root), plain_event(2, tasks[1]), plain_event(3, next)}});
  const auto sweep = [this] {
    commit({.sweeps = {{.finished_before = at_second(100), .max_roots = 9, .max_rows = 3}}});
  };
  sweep();  // two events, then the newest child
  EXPECT_EQ(reader().events({})->size(), 1U);
  EXPECT_EQ(describe(reader().task(TaskId{5})), "none");
  EXPECT_EQ(reader().tasks({.parent = root.id})->size(), 3U);
  sweep();
  reopen();
  EXPECT_EQ(reader().tasks({.parent = root.id})->size(), 0U);
  EXPECT_NE(describe(reader().task(root.id)), "none");
  EXPECT_EQ(reader().history({JobUid{1}, false})->size(), 0U);
  sweep();  // the root, and what is next
  EXPECT_EQ(describe(reader().task(root.id)), "none");
  EXPECT_EQ(reader().events({})->size(), 0U);
  sweep();
  EXPECT_EQ(reader().tasks({})->size(), 0U);
}

TEST_P(StoreConformance, TasksFoldedIntoALiveTaskGoByTheirAge) {
  const model::Task root = plain_operation(1);
  const auto end = [&root](std::uint64_t id, std::uint64_t fold, std::int64_t at) {
    model::Task child = folded(plain_operation(id, &root), fold);
    child.finished_at = at_second(at);
    return child;
  };
  const model::Task early = end(2, 12, 20);
  const model::Task below = folded(plain_operation(3, &early), 11);
  const model::Task late = end(4, 13, 200);
  const model::Task live = plain_operation(5, &root);
  model::Event old = plain_event(1, early);
  old.at = at_second(20);
  model::Event recent = plain_event(2, root);
  recent.at = at_second(150);
  commit({.tasks = {root, early, below, late, live}, .events = {old, recent}});
  commit({.sweeps = {{.finished_before = at_second(100), .max_roots = 9}}});
  EXPECT_EQ(reader().tasks({})->size(), 5U) << "the root is not listed as growing";
  commit({.sweeps = {
              {.finished_before = at_second(100), .max_roots = 9, .growing = {root.id, live.id}}}});
  reopen();
  EXPECT_EQ(describe(reader().task(early.id)), "none");
  EXPECT_EQ(describe(reader().task(below.id)), "none");
  const std::vector<engine::TaskRow> left{{live, ""}, {late, ""}, {root, ""}};
  EXPECT_EQ(describe(reader().tasks({})), describe(left));
  EXPECT_EQ(describe(reader().events({})), describe(std::vector{recent}));
}

TEST_P(StoreConformance, OldAttemptsOfALiveRunGoButNotTheNewest) {
  const model::Task run = plain_run(1, 1, State::kRunning);
  engine::Batch batch{.jobs = {plain_job(1, "a")}, .tasks = {run}};
  constexpr std::uint64_t kOlder = 5;
  for (std::uint64_t id = 2; id < 2 + kOlder + engine::kAttemptsKept; ++id) {
    const auto at = at_second(static_cast<std::int64_t>(id));
    batch.tasks.push_back(id == 3 ? plain_attempt(id, run, State::kRunning)
                                  : ended(plain_attempt(id, run), State::kFailed, at));
  }
  commit(batch);
  const auto left = [this] {
    const auto rows = reader().tasks({.parent = TaskId{1}, .limit = engine::kMaxPage});
    std::vector<std::uint64_t> ids;
    for (const engine::TaskRow& row : *rows) ids.push_back(row.task.id.value);
    return ids;
  };
  const auto sweep = [&](std::uint32_t most) {
    commit({.sweeps = {{.finished_before = at_second(6), .max_roots = most, .growing = {run.id}}}});
    reopen();
  };
  sweep(1);
  EXPECT_EQ(left().size(), kOlder + engine::kAttemptsKept - 1) << "in slices";
  EXPECT_EQ(left().back(), 3U) << "what lives stays; the oldest went";
  sweep(9);
  EXPECT_EQ(left().size(), engine::kAttemptsKept + 2) << "2, 4 and 5 were old enough";
  commit({.sweeps = {{.finished_before = at_second(99), .max_roots = 9, .growing = {run.id}}}});
  EXPECT_EQ(left().size(), engine::kAttemptsKept + 1);
}

TEST_P(StoreConformance, NumbersAreNotReusedAfterASweep) {
  engine::JobRow job = plain_job(9, "a");
  job.deleted = true;
  const model::Task run = ended(plain_run(20, 9), State::kDone, at_second(1));
  commit({.jobs = {job}, .tasks = {run}, .events = {plain_event(30, run)}});
  commit(sweep_before(100'000));
  reopen();
  EXPECT_EQ(reader().tasks({})->size(), 0U);
  const engine::Snapshot snapshot = load();
  EXPECT_EQ(snapshot.last_job, JobUid{9});
  EXPECT_EQ(snapshot.last_task, TaskId{20});
  EXPECT_EQ(snapshot.last_event, EventSeq{30});
}

TEST_P(StoreConformance, DefinitionsGoWithTheLastTaskThatNeedsThem) {
  const model::Task old = ended(plain_run(1), State::kDone, at_second(1));
  commit({.jobs = {plain_job(1, "a", 1)}, .tasks = {old}});
  commit({.jobs = {plain_job(1, "a", 2)}});  // nothing ever ran with this one
  commit({.jobs = {plain_job(1, "a", 3)}});
  EXPECT_NE(describe(reader().job_version(JobUid{1}, 1)), "none");

  commit(sweep_before(1));
  EXPECT_NE(describe(reader().job_version(JobUid{1}, 1)), "none");
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 2)), "none");

  commit(sweep_before(1000));
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 1)), "none");
  EXPECT_NE(describe(reader().job_version(JobUid{1}, 3)), "none");
}

TEST_P(StoreConformance, ADeletedJobGoesWithItsLastTask) {
  engine::JobRow job = plain_job(1, "a");
  const model::Task run = ended(plain_run(1), State::kDone, at_second(5000));
  model::Event deletion = plain_event(1, run);
  deletion.type = model::EventType::kJobDeleted;
  deletion.task = deletion.root = TaskId{};
  job.deleted = true;
  commit({.jobs = {job}, .tasks = {run}, .events = {deletion}});

  commit(sweep_before(4000));
  EXPECT_EQ(reader().events({})->size(), 1U);
  commit(sweep_before(6000));
  EXPECT_EQ(reader().events({})->size(), 0U);
  EXPECT_EQ(describe(reader().job_version(JobUid{1}, 1)), "none");
}

TEST_P(StoreConformance, TheLedgerIsSweptByTheEndOfItsEntries) {
  commit({.ledger = {plain_entry(1, 10, 50), plain_entry(1, 60, 60), plain_entry(1, 70, 90)}});
  commit(sweep_before(61, 1));
  EXPECT_EQ(describe(reader().ledger(ScheduleUid{1}, kNever, at_second(999), 10)),
            describe(std::vector{plain_entry(1, 60, 60), plain_entry(1, 70, 90)}));
}

}  // namespace
}  // namespace docket::conformance
