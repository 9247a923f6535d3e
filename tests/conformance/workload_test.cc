// A few hundred random batches, compared with the naive model throughout: what load() returns,
// what every query returns, and both again after opening the store anew.

#include "conformance/workload.h"

#include "conformance/describe.h"
#include "conformance/naive_model.h"
#include "conformance/store_under_test.h"

namespace docket::conformance {
namespace {

std::vector<engine::ChildId> ids_of(const std::vector<engine::TaskRow>& children) {
  std::vector<engine::ChildId> ids;
  for (const auto& [task, job, kind] : children) {
    ids.push_back({task.id, engine::place_of(task), task.operation ? task.operation->uuid : ""});
  }
  return ids;
}

void expect_same_answers(engine::Reader& reader, const NaiveModel& model, Workload& workload) {
  for (int round = 0; round < 10; ++round) {
    const engine::TaskQuery query = workload.task_query();
    ASSERT_EQ(describe(reader.tasks(query)), describe(model.tasks(query)));
    const engine::EventQuery events = workload.event_query();
    ASSERT_EQ(describe(reader.events(events)), describe(model.events(events)));
    const engine::HistoryQuery history{workload.some_job(), workload.chance(50),
                                       static_cast<std::uint32_t>(workload.below(20))};
    ASSERT_EQ(describe(reader.history(history)), describe(model.history(history)));
    const ScheduleUid schedule = workload.some_schedule();
    const Time from = workload.some_time();
    const Time until = workload.some_time();
    ASSERT_EQ(describe(reader.ledger(schedule, from, until, 7)),
              describe(model.ledger(schedule, from, until, 7)));
    const engine::ChildQuery children = workload.child_query();
    ASSERT_EQ(describe(reader.children(children)), describe(model.children(children)));
    ASSERT_EQ(describe(reader.child_ids(children)), describe(ids_of(model.children(children))));
    const engine::ListedQuery listed = workload.listed_query();
    ASSERT_EQ(describe(reader.listed(listed)), describe(model.listed(listed)));
    const TaskId task = workload.some_task();
    ASSERT_EQ(describe(reader.listing(task)), describe(model.listing(task)));
    const std::string uuid = workload.some_uuid();
    ASSERT_EQ(describe(reader.task_of_uuid(uuid)), describe(model.task_of_uuid(uuid)));
    const JobUid job = workload.some_job();
    const auto version = static_cast<std::uint32_t>(workload.below(4));
    ASSERT_EQ(describe(reader.job_version(job, version)),
              describe(model.job_version(job, version)));
  }
}

TEST_P(StoreConformance, RandomWorkloadsMatchTheNaiveModel) {
  for (std::uint64_t seed : {1U, 2U}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    if (seed > 1) SetUp();
    Workload workload(seed);
    NaiveModel model;
    for (int step = 0; step < 300; ++step) {
      SCOPED_TRACE("batch " + std::to_string(step));
      const engine::Batch batch = workload.next();
      commit(batch);
      model.apply(batch);
      if (step % 50 == 49) reopen();
      if (step % 5 != 0) continue;
      ASSERT_EQ(describe(load()), describe(model.snapshot()));
      ASSERT_NO_FATAL_FAILURE(expect_same_answers(reader(), model, workload));
    }
  }
}

}  // namespace
}  // namespace docket::conformance
