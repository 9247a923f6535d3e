// Pages: order, `after`, limits and filters, over a small world where every answer can be named.
// Random combinations are in workload_test.cc.

#include "conformance/describe.h"
#include "conformance/samples.h"
#include "conformance/store_under_test.h"

namespace docket::conformance {
namespace {

using engine::Fold;
using engine::Order;
using model::State;

std::vector<std::uint64_t> ids(const Result<std::vector<engine::TaskRow>>& page) {
  std::vector<std::uint64_t> found;
  EXPECT_TRUE(page) << (page ? "" : page.error().message);
  for (const engine::TaskRow& row : page.value_or(std::vector<engine::TaskRow>{})) {
    found.push_back(row.task.id.value);
  }
  return found;
}

using Ids = std::vector<std::uint64_t>;

TEST_P(StoreConformance, TasksComeInOrderPageByPage) {
  engine::Batch batch{.jobs = {plain_job(1, "a")}};
  for (std::uint64_t id = 1; id <= 7; ++id) batch.tasks.push_back(plain_run(id));
  commit(batch);
  EXPECT_EQ(ids(reader().tasks({.limit = 3})), (Ids{7, 6, 5}));
  EXPECT_EQ(ids(reader().tasks({.after = TaskId{5}, .limit = 3})), (Ids{4, 3, 2}));
  EXPECT_EQ(ids(reader().tasks({.after = TaskId{1}})), Ids{});
  EXPECT_EQ(ids(reader().tasks({.after = TaskId{99}, .limit = 1})), Ids{7});
  EXPECT_EQ(ids(reader().tasks({.order = Order::kOldestFirst, .limit = 2})), (Ids{1, 2}));
  EXPECT_EQ(ids(reader().tasks({.after = TaskId{6}, .order = Order::kOldestFirst})), Ids{7});
  EXPECT_EQ(ids(reader().tasks({.limit = 0})), Ids{});
}

TEST_P(StoreConformance, NoPageIsLongerThanTheLimitOfThePort) {
  engine::Batch batch{.jobs = {plain_job(1, "a")}};
  for (std::uint64_t id = 1; id <= engine::kMaxPage + 5; ++id) {
    batch.tasks.push_back(ended(plain_run(id), State::kDone, at_second(1)));
    batch.events.push_back(plain_event(id, batch.tasks.back()));
    const auto due = static_cast<std::int64_t>(id);
    batch.ledger.push_back(plain_entry(1, due, due));
  }
  commit(batch);
  EXPECT_EQ(reader().tasks({.limit = 100'000})->size(), engine::kMaxPage);
  EXPECT_EQ(reader().events({.limit = 100'000})->size(), engine::kMaxPage);
  EXPECT_EQ(reader().history({.job = JobUid{1}, .limit = 100'000})->size(), engine::kMaxPage);
  EXPECT_EQ(reader().ledger(ScheduleUid{1}, kNever, at_second(9999), 100'000)->size(),
            engine::kMaxPage);
}

TEST_P(StoreConformance, NoPageOfTheTreeIsLongerThanTheLimitOfThePort) {
  const model::Task root = plain_operation(1);
  engine::Batch batch{.tasks = {root}};
  for (std::uint64_t id = 2; id <= engine::kMaxPage + 7; ++id) {
    batch.tasks.push_back(folded(plain_operation(id, &root), id, State::kFailed));
    batch.listings.push_back({TaskId{id}, "a", 0, false, model::kForever});
  }
  commit(batch);
  EXPECT_EQ(reader().children({root.id, Fold::kFolded, 0, 100'000})->size(), engine::kMaxPage);
  EXPECT_EQ(reader().children({root.id, Fold::kKept, 0, 100'000})->size(), engine::kMaxPage);
  EXPECT_EQ(reader().children({root.id, Fold::kKept, engine::kMaxPage})->size(), 7U);
  EXPECT_EQ(reader().listed({.module = "a", .limit = 100'000})->size(), engine::kMaxPage);
}

// The worked tree of reference/scylla-tasks.md section 4, with children that ended out of order.
TEST_P(StoreConformance, ChildrenOfAnOperationAreOrderedByTheirEnds) {
  const model::Task root = plain_operation(1);
  model::Task over = ended(plain_operation(2, &root), State::kFailed, at_second(3));  // not folded
  const model::Task first = folded(plain_operation(6, &root), 21);
  const model::Task second = folded(plain_operation(3, &root), 30, State::kFailed);
  model::Task third = folded(plain_operation(5, &root), 31);
  third.tally.failing = 1;  // below it
  const model::Task fourth = folded(plain_operation(7, &root), 40, State::kAborted);
  const model::Task live = plain_operation(4, &root);
  const model::Task grandchild = folded(plain_operation(8, &third), 22, State::kFailed);
  commit({.tasks = {root, over, second, live, third, first, fourth, grandchild}});
  const auto of = [this](std::uint64_t parent, Fold which, std::uint64_t after = 0,
                         std::uint32_t limit = 100) {
    return ids(reader().children({TaskId{parent}, which, after, limit}));
  };
  EXPECT_EQ(of(1, Fold::kUnfolded), (Ids{2, 4}));
  EXPECT_EQ(of(1, Fold::kUnfolded, 2), Ids{4});
  EXPECT_EQ(of(1, Fold::kFolded), (Ids{6, 3, 5, 7}));
  EXPECT_EQ(of(1, Fold::kFolded, 0, 2), (Ids{6, 3}));
  EXPECT_EQ(of(1, Fold::kFolded, 30, 2), (Ids{5, 7}));
  EXPECT_EQ(of(1, Fold::kFolded, UINT64_MAX), Ids{});
  EXPECT_EQ(of(1, Fold::kKept), (Ids{3, 5, 7}));
  EXPECT_EQ(of(1, Fold::kKept, 30, 1), Ids{5});
  EXPECT_EQ(of(5, Fold::kKept), Ids{8});
  EXPECT_EQ(of(4, Fold::kFolded), Ids{});
  EXPECT_EQ(of(99, Fold::kUnfolded), Ids{});
  EXPECT_EQ(of(0, Fold::kUnfolded), Ids{});

  // Folded later, and with a failure found later: the same child has another place.
  over.tally.fold = 50;
  third.tally.failing = 0;
  commit({.tasks = {over, third}});
  EXPECT_EQ(of(1, Fold::kUnfolded), Ids{4});
  EXPECT_EQ(of(1, Fold::kKept), (Ids{3, 7, 2}));
}

TEST_P(StoreConformance, AttemptsAreFoldedWhenTheyHaveEnded) {
  const model::Task run = plain_run(1, 1, State::kRunning);
  const model::Task done = ended(plain_attempt(2, run), State::kDone, at_second(90));
  const model::Task failed = ended(plain_attempt(3, run), State::kFailed, at_second(50));
  const model::Task live = plain_attempt(4, run);
  const model::Task aborted = ended(plain_attempt(5, run), State::kAborted, at_second(60));
  commit({.jobs = {plain_job(1, "a")}, .tasks = {run, done, failed, live, aborted}});
  const auto of = [&](Fold which, std::uint64_t after = 0) {
    return ids(reader().children({run.id, which, after, 2}));
  };
  EXPECT_EQ(of(Fold::kUnfolded), Ids{4});
  EXPECT_EQ(of(Fold::kFolded), (Ids{2, 3}));
  EXPECT_EQ(of(Fold::kFolded, 3), Ids{5});
  EXPECT_EQ(of(Fold::kKept), (Ids{3, 5}));
  EXPECT_EQ(reader().children({run.id, Fold::kUnfolded})->front().job_id, "a");
}

TEST_P(StoreConformance, ListedTasksAreOfOneLaneAndStillShown) {
  const model::Task run = ended(plain_run(1), State::kDone, at_second(1));
  const model::Task live = plain_operation(2);
  engine::Batch batch{.jobs = {plain_job(1, "a")}, .tasks = {run, live}};
  const auto list = [&batch](std::uint64_t task, Time until, const std::string& module = "m",
                             std::uint32_t lane = 0, bool internal = false) {
    if (task > 2) batch.tasks.push_back(plain_operation(task));
    batch.listings.push_back({TaskId{task}, module, lane, internal, until});
  };
  list(1, at_second(50));
  list(2, model::kForever);
  list(3, at_second(40));
  list(4, at_second(50));
  list(5, model::kForever);
  list(6, at_second(50), "m", 1);
  list(7, at_second(50), "m", 0, true);
  list(8, at_second(50), "other");
  batch.listings.push_back({TaskId{99}, "m", 0, false, at_second(50)});  // there is no such task
  commit(batch);
  const auto listed = [this](const engine::ListedQuery& query) {
    Ids found;
    const auto rows = reader().listed(query);
    for (const engine::ListedRow& row : *rows) found.push_back(row.row.task.id.value);
    return found;
  };
  EXPECT_EQ(listed({.module = "m", .now = at_second(39)}), (Ids{3, 1, 4, 2, 5}));
  EXPECT_EQ(listed({.module = "m", .now = at_second(40)}), (Ids{1, 4, 2, 5}));
  EXPECT_EQ(listed({.module = "m", .now = at_second(50), .limit = 1}), Ids{2});
  EXPECT_EQ(
      listed(
          {.module = "m", .now = at_second(39), .after_until = at_second(50), .after = TaskId{1}}),
      (Ids{4, 2, 5}));
  EXPECT_EQ(listed({.module = "m", .after_until = model::kForever, .after = TaskId{2}}), Ids{5});
  EXPECT_EQ(listed({.module = "m", .lane = 1}), Ids{6});
  EXPECT_EQ(listed({.module = "m", .internal = true}), Ids{7});
  EXPECT_EQ(listed({.module = "none"}), Ids{});
  const std::vector<engine::ListedRow> rows{{{run, "a", "process"}, at_second(50)}};
  EXPECT_EQ(describe(reader().listed({.module = "m", .now = at_second(40), .limit = 1})),
            describe(rows));
}

TEST_P(StoreConformance, TheNewestOperationWithAUuidIsFound) {
  const auto with_uuid = [](std::uint64_t id, const std::string& uuid) {
    model::Task task = ended(plain_operation(id), State::kDone, at_second(1));
    model::Operation what = *task.operation;
    what.uuid = uuid;
    task.operation = std::make_shared<const model::Operation>(std::move(what));
    return task;
  };
  const std::string uuid = "0badcafe-0000-4000-8000-000000000001";
  commit({.tasks = {with_uuid(1, uuid), with_uuid(2, uuid), with_uuid(3, "")}});
  EXPECT_EQ(describe(reader().task_of_uuid(uuid)), "2");
  EXPECT_EQ(describe(reader().task_of_uuid("")), "none");
  EXPECT_EQ(describe(reader().task_of_uuid("0badcafe")), "none");
}

TEST_P(StoreConformance, TasksAreFilteredByEachMember) {
  model::Task scheduled = plain_run(3, 2, State::kFailed);
  scheduled.schedule = ScheduleUid{8};
  const model::Task run = plain_run(1, 1, State::kRunning);
  commit({.jobs = {plain_job(1, "a"), plain_job(2, "b")},
          .tasks = {run, plain_attempt(2, run), scheduled, plain_run(4, 2, State::kDone)}});
  EXPECT_EQ(ids(reader().tasks({.parent = TaskId{}})), (Ids{4, 3, 1}));
  EXPECT_EQ(ids(reader().tasks({.parent = TaskId{1}})), Ids{2});
  EXPECT_EQ(ids(reader().tasks({.job = JobUid{1}})), (Ids{2, 1}));
  EXPECT_EQ(ids(reader().tasks({.job_id = "b"})), (Ids{4, 3}));
  EXPECT_EQ(ids(reader().tasks({.job_id = "none"})), Ids{});
  EXPECT_EQ(ids(reader().tasks({.job = JobUid{1}, .job_id = "b"})), Ids{});
  EXPECT_EQ(ids(reader().tasks({.name = "run-3"})), Ids{3});
  EXPECT_EQ(ids(reader().tasks({.states = {State::kRunning, State::kDone}})), (Ids{4, 2, 1}));
  EXPECT_EQ(ids(reader().tasks({.schedule = ScheduleUid{8}})), Ids{3});
  EXPECT_EQ(ids(reader().tasks({.created_from = at_second(2), .created_until = at_second(4)})),
            (Ids{3, 2}));
}

TEST_P(StoreConformance, HistoryIsOrderedByEndNewestFirst) {
  const model::Task slow = ended(plain_run(1), State::kDone, at_second(90));
  const model::Task quick = ended(plain_run(2), State::kDone, at_second(50));
  const model::Task same = ended(plain_run(3), State::kDone, at_second(50));
  const model::Task failed = ended(plain_run(4), State::kFailed, at_second(60));
  const model::Task aborted = ended(plain_run(5), State::kAborted, at_second(70));
  const model::Task second = ended(plain_attempt(7, slow), State::kDone, at_second(90));
  const model::Task first = ended(plain_attempt(6, slow), State::kFailed, at_second(80));
  commit({.jobs = {plain_job(1, "a"), plain_job(2, "b")},
          .tasks = {slow, quick, same, failed, aborted, second, first, plain_run(8),
                    ended(plain_run(9, 2), State::kDone, at_second(1))}});
  const std::vector<engine::FinishedRun> successes{
      {slow, {first.id, second.id}}, {same, {}}, {quick, {}}};
  EXPECT_EQ(describe(reader().history({JobUid{1}, true})), describe(successes));
  const std::vector<engine::FinishedRun> failures{{aborted, {}}, {failed, {}}};
  EXPECT_EQ(describe(reader().history({JobUid{1}, false})), describe(failures));
  EXPECT_EQ(reader().history({JobUid{1}, true, 1})->size(), 1U);
}

TEST_P(StoreConformance, EventsComeOldestFirstAfterANumber) {
  const model::Task run = plain_run(1);
  const model::Task attempt = plain_attempt(2, run);
  const model::Task other = plain_run(3, 2);
  commit({.jobs = {plain_job(1, "a"), plain_job(2, "b")},
          .tasks = {run, attempt, other},
          .events = {plain_event(1, run), plain_event(2, attempt), plain_event(3, other),
                     plain_event(4, attempt)}});
  const auto numbers = [this](const engine::EventQuery& query) {
    Ids found;
    const auto events = reader().events(query);
    for (const model::Event& event : *events) found.push_back(event.seq.value);
    return found;
  };
  EXPECT_EQ(numbers({}), (Ids{1, 2, 3, 4}));
  EXPECT_EQ(numbers({.after = EventSeq{2}, .limit = 1}), Ids{3});
  EXPECT_EQ(numbers({.root = run.id}), (Ids{1, 2, 4}));
  EXPECT_EQ(numbers({.task = attempt.id, .after = EventSeq{2}}), Ids{4});
  EXPECT_EQ(numbers({.task = run.id}), Ids{1});
  EXPECT_EQ(numbers({.job = JobUid{2}}), Ids{3});
  EXPECT_EQ(numbers({.root = run.id, .job = JobUid{2}}), Ids{});
}

TEST_P(StoreConformance, TheLedgerAnswersForRangesThatTouchAnEntry) {
  const ScheduleUid schedule{1};
  const model::LedgerEntry ran = plain_entry(1, 10, 10);
  const model::LedgerEntry absence = plain_entry(1, 20, 40);
  const model::LedgerEntry later = plain_entry(1, 50, 50);
  const model::LedgerEntry foreign = plain_entry(2, 30, 30);
  commit({.ledger = {later, absence, ran, foreign}});
  const auto between = [&](std::int64_t from, std::int64_t until) {
    return describe(reader().ledger(schedule, at_second(from), at_second(until), 10));
  };
  using Entries = std::vector<model::LedgerEntry>;
  EXPECT_EQ(between(0, 100), describe(Entries{ran, absence, later}));
  EXPECT_EQ(between(30, 35), describe(Entries{absence}));
  EXPECT_EQ(between(40, 50), describe(Entries{absence}));
  EXPECT_EQ(between(41, 51), describe(Entries{later}));
  EXPECT_EQ(between(11, 20), describe(Entries{}));
  EXPECT_EQ(between(10, 11), describe(Entries{ran}));
}

}  // namespace
}  // namespace docket::conformance
