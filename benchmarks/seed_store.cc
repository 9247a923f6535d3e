// Fills a data directory with history, through the store itself: seed_store DIR FINISHED QUEUED
// ACTIVE
//
// One job `seeded` whose demand fits no node (so its queued runs stay queued), and finished runs
// with an attempt each. ACTIVE runs are left running, with processes that no runner knows.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "kinds/process/spec.h"
#include "model/job.h"
#include "store/sqlite/sqlite_store.h"

namespace {

using namespace docket;  // NOLINT: a program of one file

constexpr Time kStart{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};

model::JobPtr make_job() {
  auto job = std::make_shared<model::Job>();  // shared: see model::JobPtr
  job->uid = JobUid{1};
  job->created_at = job->updated_at = kStart;
  job->definition.id = "seeded";
  kinds::ProcessSpec spec;
  spec.cpus = 1000;
  spec.cmd = "true";
  job->definition.spec = kinds::spec_of(spec);
  return job;
}

model::Task make_run(std::uint64_t id, model::State state, Time at) {
  model::Task run;
  run.id = run.root = TaskId{id};
  run.job = JobUid{1};
  run.job_version = 1;
  run.state = state;
  char name[32];
  std::snprintf(name, sizeof name, "20260101%011llu", static_cast<unsigned long long>(id));
  run.name = name;
  run.created_at = at;
  if (state != model::State::kQueued) run.started_at = at;
  if (model::is_final(state)) run.finished_at = at + std::chrono::seconds{1};
  return run;
}

model::Task make_attempt(std::uint64_t id, const model::Task& run) {
  model::Task attempt = run;
  attempt.id = TaskId{id};
  attempt.parent = run.id;
  attempt.kind = model::TaskKind::kAttempt;
  attempt.name.clear();
  return attempt;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return std::fprintf(stderr, "usage: seed_store DIR FINISHED QUEUED ACTIVE\n"), 2;
  const auto store = store::SqliteStore::open({.directory = argv[1]});
  if (!store) return std::fprintf(stderr, "%s\n", store.error().message.c_str()), 1;
  const std::uint64_t finished = std::strtoull(argv[2], nullptr, 10);
  const std::uint64_t queued = std::strtoull(argv[3], nullptr, 10);
  const std::uint64_t active = std::strtoull(argv[4], nullptr, 10);

  std::uint64_t next = 0;
  std::uint64_t event = 0;
  engine::Batch batch;
  engine::JobRow row;
  row.job = make_job();
  row.stats.success_count = finished;
  batch.jobs.push_back(row);
  const auto add = [&](model::Task task) {
    model::Event fact;
    fact.seq = EventSeq{++event};
    fact.at = task.created_at;
    fact.job = task.job;
    fact.job_id = "seeded";
    fact.task = task.id;
    fact.root = task.root;
    fact.type = task.parent ? model::EventType::kAttemptChanged : model::EventType::kRunChanged;
    fact.after = task.state;
    batch.events.push_back(std::move(fact));
    batch.tasks.push_back(std::move(task));
  };
  for (std::uint64_t i = 0; i < finished + queued + active; ++i) {
    const model::State state = i < finished            ? model::State::kDone
                               : i < finished + queued ? model::State::kQueued
                                                       : model::State::kRunning;
    const model::Task run = make_run(++next, state, kStart + std::chrono::seconds{i});
    add(run);
    if (state != model::State::kQueued) add(make_attempt(++next, run));
    if (batch.tasks.size() < 5000 && i + 1 < finished + queued + active) continue;
    if (const auto done = (*store)->commit(batch); !done)
      return std::fprintf(stderr, "%s\n", done.error().message.c_str()), 1;
    batch = {};
  }
  return 0;
}
