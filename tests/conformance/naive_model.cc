#include "conformance/naive_model.h"

#include <algorithm>
#include <tuple>

namespace docket::conformance {
namespace {

// Puts `row` where its key belongs, replacing the row with the same key if there is one.
template <class Row, class Key>
void put(std::vector<Row>& rows, const Row& row, Key key) {
  const auto at = std::find_if(rows.begin(), rows.end(),
                               [&](const Row& each) { return !(key(each) < key(row)); });
  if (at != rows.end() && key(*at) == key(row)) {
    *at = row;
  } else {
    rows.insert(at, row);
  }
}

template <class Row>
void keep_first(std::vector<Row>& rows, std::uint32_t limit) {
  if (rows.size() > std::min(limit, engine::kMaxPage)) {
    rows.erase(rows.begin() + std::min(limit, engine::kMaxPage), rows.end());
  }
}

auto version_key(const model::JobPtr& job) { return std::tuple(job->uid, job->version); }

template <class T>
bool wants(const std::optional<T>& filter, const T& value) {
  return !filter.has_value() || filter.value() == value;
}

}  // namespace

void NaiveModel::apply(const engine::Batch& batch) {
  for (const engine::JobRow& row : batch.jobs) {
    put(jobs_, row, [](const engine::JobRow& each) { return each.job->uid; });
    const bool known = std::any_of(versions_.begin(), versions_.end(), [&](const auto& each) {
      return version_key(each) == version_key(row.job);
    });
    if (!known) put(versions_, row.job, version_key);
  }
  for (const auto& row : batch.schedules) put(schedules_, row, [](auto& each) { return each.uid; });
  for (const auto& uid : batch.dropped_schedules) {
    std::erase_if(schedules_, [&](const auto& each) { return each.uid == uid; });
  }
  for (const auto& row : batch.tasks) put(tasks_, row, [](auto& each) { return each.id; });
  for (const auto& row : batch.events) put(events_, row, [](auto& each) { return each.seq; });
  for (const auto& row : batch.locks) put(locks_, row, [](auto& each) { return each.name; });
  for (const auto& row : batch.ledger) {
    put(ledger_, row, [](auto& each) { return std::tuple(each.schedule, each.first_due); });
  }
  for (const auto& row : batch.secrets) put(secrets_, row, [](auto& each) { return each.path; });
  for (const auto& row : batch.records) put(records_, row, [](auto& each) { return each.id; });
  for (const RecordId id : batch.dropped_records) {
    std::erase_if(records_, [&](const auto& each) { return each.id == id; });
  }
  for (const auto& path : batch.dropped_secrets) {
    std::erase_if(secrets_, [&](const auto& each) { return each.path == path; });
  }
  put_listings(batch);
  remember_last(batch);
  for (const engine::Sweep& each : batch.sweeps) sweep(each);
  if (batch.clock) last_.clock = batch.clock;
}

void NaiveModel::put_listings(const engine::Batch& batch) {
  for (const engine::Drain& drain : batch.drains) {
    std::erase_if(listings_, [&](const model::Listing& each) {
      return each.module == drain.module && each.until != model::kForever;
    });
  }
  for (const std::string& module : batch.dropped_modules) {
    std::erase_if(listings_, [&](const auto& each) { return each.module == module; });
    std::erase_if(lanes_, [&](const auto& each) { return each.module == module; });
  }
  for (const auto& row : batch.listings) {
    put(listings_, row, [](auto& each) { return each.task; });
    std::erase_if(listings_, [](const auto& each) { return each.until == kNever; });
  }
  for (const auto& row : batch.lanes) {
    put(lanes_, row, [](auto& each) { return std::tuple(each.module, each.lane); });
  }
}

void NaiveModel::remember_last(const engine::Batch& batch) {
  for (const auto& row : batch.jobs) last_.last_job = std::max(last_.last_job, row.job->uid);
  for (const auto& row : batch.schedules) {
    last_.last_schedule = std::max(last_.last_schedule, row.uid);
  }
  for (const auto& row : batch.tasks) last_.last_task = std::max(last_.last_task, row.id);
  for (const auto& row : batch.records) last_.last_record = std::max(last_.last_record, row.id);
  for (const auto& row : batch.events) last_.last_event = std::max(last_.last_event, row.seq);
}

const engine::JobRow* NaiveModel::job(JobUid uid) const {
  const auto at = std::find_if(jobs_.begin(), jobs_.end(),
                               [&](const auto& each) { return each.job->uid == uid; });
  return at == jobs_.end() ? nullptr : &*at;
}

std::string NaiveModel::job_id(JobUid uid) const {
  const engine::JobRow* row = job(uid);
  return row ? row->job->id() : "";
}

engine::TaskRow NaiveModel::row_of(const model::Task& task) const {
  const engine::JobRow* row = job(task.job);
  if (!row) return {task, "", ""};
  return {task, row->job->id(), row->job->definition.spec.kind};
}

bool NaiveModel::has_tasks(JobUid uid) const {
  return std::any_of(tasks_.begin(), tasks_.end(),
                     [&](const auto& each) { return each.job == uid; });
}

bool NaiveModel::is_current(const model::Job& version) const {
  const engine::JobRow* row = job(version.uid);
  return row && row->job->version == version.version;
}

bool NaiveModel::is_used(const model::Job& version) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& each) {
    return each.job == version.uid && each.job_version == version.version;
  });
}

const model::Task* NaiveModel::task(TaskId id) const {
  const auto at =
      std::find_if(tasks_.begin(), tasks_.end(), [&](const auto& each) { return each.id == id; });
  return at == tasks_.end() ? nullptr : &*at;
}

bool NaiveModel::tree_is_live(TaskId root) const {
  return std::any_of(tasks_.begin(), tasks_.end(), [&](const auto& each) {
    return each.root == root && !model::is_final(each.state);
  });
}

void NaiveModel::sweep(const engine::Sweep& sweep) {
  sweep_trees(sweep);
  sweep_listings(sweep);
  sweep_ledger(sweep);
  sweep_jobs(sweep);
  std::erase_if(versions_,
                [this](const auto& each) { return !is_current(*each) && !is_used(*each); });
}

void NaiveModel::sweep_trees(const engine::Sweep& sweep) {
  std::vector<std::tuple<Time, TaskId>> old;
  for (const model::Task& each : tasks_) {
    if (!each.parent && model::is_final(each.state) && each.finished_at < sweep.finished_before &&
        !tree_is_live(each.id)) {
      old.emplace_back(each.finished_at, each.id);
    }
  }
  std::sort(old.begin(), old.end());
  if (old.size() > sweep.max_roots) old.resize(sweep.max_roots);
  for (const auto& [finished_at, root] : old) {
    std::erase_if(listings_, [&](const auto& each) {
      const model::Task* listed = task(each.task);
      return listed && listed->root == root;
    });
    std::erase_if(tasks_, [&](const auto& each) { return each.root == root; });
    std::erase_if(events_, [&](const auto& each) { return each.root == root; });
  }
}

void NaiveModel::sweep_listings(const engine::Sweep& sweep) {
  std::vector<std::tuple<Time, TaskId>> over;
  for (const model::Listing& each : listings_) {
    const bool forever = each.until == model::kForever;
    if (!forever && each.until <= sweep.listed_until) over.emplace_back(each.until, each.task);
  }
  std::sort(over.begin(), over.end());
  if (over.size() > sweep.max_roots) over.resize(sweep.max_roots);
  for (const auto& [until, task] : over) {
    std::erase_if(listings_, [&](const auto& each) { return each.task == task; });
  }
}

void NaiveModel::sweep_ledger(const engine::Sweep& sweep) {
  std::vector<model::LedgerEntry> old = ledger_;
  std::erase_if(old, [&](const auto& each) { return each.last_due >= sweep.finished_before; });
  std::stable_sort(old.begin(), old.end(), [](const auto& one, const auto& other) {
    return one.last_due < other.last_due;
  });
  if (old.size() > sweep.max_roots) old.resize(sweep.max_roots);
  std::erase_if(ledger_, [&](const auto& entry) {
    return std::any_of(old.begin(), old.end(), [&](const auto& each) {
      return each.schedule == entry.schedule && each.first_due == entry.first_due;
    });
  });
}

void NaiveModel::sweep_jobs(const engine::Sweep& sweep) {
  std::vector<std::tuple<Time, JobUid>> gone;
  for (const engine::JobRow& each : jobs_) {
    if (each.deleted && each.job->updated_at < sweep.finished_before && !has_tasks(each.job->uid)) {
      gone.emplace_back(each.job->updated_at, each.job->uid);
    }
  }
  std::sort(gone.begin(), gone.end());
  if (gone.size() > sweep.max_roots) gone.resize(sweep.max_roots);
  for (const auto& [updated_at, uid] : gone) {
    std::erase_if(jobs_, [&](const auto& each) { return each.job->uid == uid; });
    std::erase_if(events_, [&](const auto& each) { return each.job == uid; });
  }
}

bool NaiveModel::has_live_member(const model::Task& top) const {
  return !model::is_final(top.state) ||
         std::any_of(tasks_.begin(), tasks_.end(), [&](const model::Task& each) {
           return each.parent == top.id && has_live_member(each);
         });
}

bool NaiveModel::is_remembered(const model::Task& each) const {
  if (has_live_member(each)) return true;
  const model::Task* parent = task(each.parent);
  if (!parent || !parent->job || !is_remembered(*parent)) return false;
  if (model::is_step(each) && each.tally.fold == 0) return true;
  const auto newer = std::count_if(tasks_.begin(), tasks_.end(), [&](const model::Task& other) {
    return other.parent == each.parent && other.id > each.id;
  });
  return newer < static_cast<std::ptrdiff_t>(engine::kAttemptsKept);
}

engine::Snapshot NaiveModel::snapshot() const {
  engine::Snapshot snapshot = last_;
  for (const model::Task& each : tasks_) {
    if (is_remembered(each)) snapshot.tasks.push_back(each);
  }
  const auto runs_with = [&](const auto& predicate) {
    return std::any_of(snapshot.tasks.begin(), snapshot.tasks.end(), predicate);
  };
  for (const engine::JobRow& row : jobs_) {
    const bool live = runs_with([&](const auto& task) { return task.job == row.job->uid; });
    if (!row.deleted || live) snapshot.jobs.push_back(row);
  }
  for (const model::JobPtr& version : versions_) {
    const bool live = runs_with([&](const auto& task) {
      return task.job == version->uid && task.job_version == version->version;
    });
    if (live && !is_current(*version)) snapshot.frozen.push_back(version);
  }
  snapshot.schedules = schedules_;
  snapshot.locks = locks_;
  snapshot.secrets = secrets_;
  snapshot.records = records_;
  snapshot.lanes = lanes_;
  return snapshot;
}

std::vector<engine::TaskRow> NaiveModel::tasks(const engine::TaskQuery& query) const {
  std::vector<engine::TaskRow> rows;
  for (const model::Task& task : tasks_) {
    const bool state_fits = query.states.empty() ||
                            std::count(query.states.begin(), query.states.end(), task.state) > 0;
    const bool newest_first = query.order == engine::Order::kNewestFirst;
    const bool on_page =
        !query.after || (newest_first ? task.id < *query.after : task.id > *query.after);
    if (state_fits && on_page && wants(query.parent, task.parent) && wants(query.job, task.job) &&
        wants(query.job_id, job_id(task.job)) && wants(query.name, task.name) &&
        wants(query.schedule, task.schedule) &&
        task.created_at >= query.created_from.value_or(Time::min()) &&
        (!query.created_until || task.created_at < *query.created_until)) {
      rows.push_back(row_of(task));
    }
  }
  if (query.order == engine::Order::kNewestFirst) std::reverse(rows.begin(), rows.end());
  keep_first(rows, query.limit);
  return rows;
}

std::vector<engine::FinishedRun> NaiveModel::history(const engine::HistoryQuery& query) const {
  std::vector<engine::FinishedRun> runs;
  for (const model::Task& task : tasks_) {
    if (task.parent || task.job != query.job || !model::is_final(task.state)) continue;
    if ((task.state == model::State::kDone) != query.succeeded) continue;
    engine::FinishedRun run{task, {}};
    for (const model::Task& child : tasks_) {
      if (child.parent == task.id) run.attempts.push_back(child.id);
    }
    runs.push_back(std::move(run));
  }
  std::sort(runs.begin(), runs.end(), [](const auto& one, const auto& other) {
    return std::tuple(other.run.finished_at, other.run.id) <
           std::tuple(one.run.finished_at, one.run.id);
  });
  keep_first(runs, query.limit);
  return runs;
}

std::vector<model::Event> NaiveModel::events(const engine::EventQuery& query) const {
  std::vector<model::Event> rows;
  for (const model::Event& event : events_) {
    if (event.seq > query.after && wants(query.root, event.root) && wants(query.task, event.task) &&
        wants(query.job, event.job)) {
      rows.push_back(event);
    }
  }
  keep_first(rows, query.limit);
  return rows;
}

std::vector<model::LedgerEntry> NaiveModel::ledger(ScheduleUid schedule, Time from, Time until,
                                                   std::uint32_t limit) const {
  std::vector<model::LedgerEntry> rows;
  for (const model::LedgerEntry& entry : ledger_) {
    if (entry.schedule == schedule && entry.first_due < until && entry.last_due >= from) {
      rows.push_back(entry);
    }
  }
  keep_first(rows, limit);
  return rows;
}

std::vector<engine::TaskRow> NaiveModel::children(const engine::ChildQuery& query) const {
  std::vector<engine::TaskRow> rows;
  const model::Task* parent = task(query.parent);
  for (const model::Task& each : tasks_) {
    if (!parent || each.parent != parent->id) continue;
    const bool of_run = static_cast<bool>(parent->job);
    const bool folded = of_run ? model::is_final(each.state) : each.tally.fold != 0;
    const bool wanted = query.which == engine::Fold::kUnfolded ? !folded
                        : query.which == engine::Fold::kFolded ? folded
                                                               : folded && model::is_failing(each);
    if (wanted && engine::place_of(each) > query.after) rows.push_back(row_of(each));
  }
  std::sort(rows.begin(), rows.end(), [](const auto& one, const auto& other) {
    return engine::place_of(one.task) < engine::place_of(other.task);
  });
  keep_first(rows, query.limit);
  return rows;
}

std::vector<engine::ListedRow> NaiveModel::listed(const engine::ListedQuery& query) const {
  std::vector<engine::ListedRow> rows;
  for (const model::Listing& each : listings_) {
    const model::Task* found = task(each.task);
    if (!found || each.module != query.module || each.lane != query.lane) continue;
    if (each.internal != query.internal || each.until <= query.now) continue;
    if (query.after &&
        std::tuple(each.until, each.task) <= std::tuple(query.after_until, query.after.value())) {
      continue;
    }
    rows.push_back({row_of(*found), each.until});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& one, const auto& other) { return one.until < other.until; });
  keep_first(rows, query.limit);
  return rows;
}

std::optional<model::Listing> NaiveModel::listing(TaskId id) const {
  for (const model::Listing& each : listings_) {
    if (each.task == id) return each;
  }
  return std::nullopt;
}

std::optional<TaskId> NaiveModel::task_of_uuid(const std::string& uuid) const {
  std::optional<TaskId> newest;
  for (const model::Task& each : tasks_) {
    if (each.operation && !uuid.empty() && each.operation->uuid == uuid) newest = each.id;
  }
  return newest;
}

std::optional<model::JobPtr> NaiveModel::job_version(JobUid uid, std::uint32_t version) const {
  for (const model::JobPtr& each : versions_) {
    if (each->uid == uid && each->version == version) return each;
  }
  return std::nullopt;
}

}  // namespace docket::conformance
