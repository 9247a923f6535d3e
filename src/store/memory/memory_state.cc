#include "store/memory/memory_state.h"

#include <algorithm>
#include <tuple>

namespace docket::store {
namespace {

bool is_root(const model::Task& task) { return !task.parent; }

bool is_operation(const model::Task& task) { return task.kind == model::TaskKind::kOperation; }

template <class T>
bool same(const std::shared_ptr<const T>& one, const std::shared_ptr<const T>& other) {
  return one && other ? *one == *other : one == other;
}

// All second members of the pairs in `index` whose first member is `key`.
template <class Key, class Value>
std::vector<Value> values_of(const std::set<std::pair<Key, Value>>& index, Key key) {
  std::vector<Value> found;
  for (auto at = index.lower_bound({key, Value{}}); at != index.end() && at->first == key; ++at) {
    found.push_back(at->second);
  }
  return found;
}

template <class Key, class Value>
bool has_key(const std::set<std::pair<Key, Value>>& index, Key key) {
  const auto at = index.lower_bound({key, Value{}});
  return at != index.end() && at->first == key;
}

}  // namespace

bool same_identity(const model::Task& one, const model::Task& other) {
  const auto identity = [](const model::Task& task) {
    return std::tie(task.id, task.parent, task.root, task.job, task.job_version, task.kind,
                    task.trigger, task.name, task.created_at, task.schedule, task.due_at);
  };
  const auto key = [](const model::Task& task) {
    return task.planned ? task.planned->key : std::string();
  };
  return identity(one) == identity(other) && key(one) == key(other) &&
         same(one.parameters, other.parameters) && same(one.operation, other.operation);
}

const model::Task* MemoryState::task(TaskId id) const {
  const auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second;
}

std::string MemoryState::job_id(JobUid job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? std::string() : found->second.job->id();
}

engine::TaskRow MemoryState::row_of(const model::Task& task) const {
  const auto found = jobs_.find(task.job);
  if (found == jobs_.end()) return {task, {}, {}};
  const model::Job& job = *found->second.job;
  return {task, job.id(), job.definition.spec.kind};
}

model::JobPtr MemoryState::job_version(JobUid job, std::uint32_t version) const {
  const auto found = versions_.find({job, version});
  return found == versions_.end() ? nullptr : found->second.job;
}

std::vector<TaskId> MemoryState::children(TaskId parent) const {
  return values_of(by_parent_, parent);
}

std::vector<TaskId> MemoryState::roots_of_job(JobUid job) const {
  std::vector<TaskId> found = values_of(by_job_, job);
  std::erase_if(found, [this](TaskId id) { return !is_root(tasks_.at(id)); });
  return found;
}

Result<> MemoryState::apply(const engine::Batch& batch) {
  for (const model::Task& put : batch.tasks) {
    const model::Task* known = task(put.id);
    if (known && !same_identity(*known, put)) {
      return fail(ErrorKind::kInternal,
                  "task " + std::to_string(put.id.value) + " changed what it is");
    }
    if (is_operation(put) && !put.operation) {
      return fail(ErrorKind::kInternal,
                  "task " + std::to_string(put.id.value) + " does not say what operation it is");
    }
  }
  for (const engine::JobRow& row : batch.jobs) put_job(row);
  for (const model::Schedule& schedule : batch.schedules) {
    schedules_.insert_or_assign(schedule.uid, schedule);
    last_schedule_ = std::max(last_schedule_, schedule.uid);
  }
  for (ScheduleUid uid : batch.dropped_schedules) schedules_.erase(uid);
  for (const model::Task& task : batch.tasks) put_task(task);
  for (const model::Event& event : batch.events) {
    events_.insert_or_assign(event.seq, event);
    events_by_root_.insert({event.root, event.seq});
    events_by_job_.insert({event.job, event.seq});
    last_event_ = std::max(last_event_, event.seq);
  }
  for (const engine::TaskResult& each : batch.results) results_[each.task] = each.text;
  for (const model::Lock& lock : batch.locks) locks_.insert_or_assign(lock.name, lock);
  for (const model::LedgerEntry& entry : batch.ledger) put_ledger(entry);
  for (const model::SealedSecret& secret : batch.secrets) {
    secrets_.insert_or_assign(secret.path, secret);
  }
  for (const std::string& path : batch.dropped_secrets) secrets_.erase(path);
  for (const model::Record& record : batch.records) {
    records_.insert_or_assign(record.id, record);
    last_record_ = std::max(last_record_, record.id);
  }
  for (const RecordId id : batch.dropped_records) records_.erase(id);
  put_listings(batch);
  for (const engine::Sweep& each : batch.sweeps) sweep(each);
  if (batch.clock) clock_ = batch.clock;
  if (batch.epoch) epoch_ = *batch.epoch;
  return {};
}

void MemoryState::put_job(const engine::JobRow& row) {
  jobs_.insert_or_assign(row.job->uid, row);
  Version& version = versions_[{row.job->uid, row.job->version}];
  if (!version.job) version.job = row.job;
  // Readers see the definition a version was first put with, whatever a later row carries.
  jobs_.at(row.job->uid).job = version.job;
  last_job_ = std::max(last_job_, row.job->uid);
}

void MemoryState::put_task(const model::Task& task) {
  const auto [at, is_new] = tasks_.try_emplace(task.id, task);
  if (is_new) {
    by_job_.insert({task.job, task.id});
    if (!is_root(task)) by_parent_.insert({task.parent, task.id});
    if (task.job) ++versions_[{task.job, task.job_version}].tasks;
    last_task_ = std::max(last_task_, task.id);
  } else {
    ended_roots_.erase({at->second.finished_at, task.id});
    at->second = task;
  }
  const bool ended = model::is_final(task.state);
  if (ended) {
    live_.erase(task.id);
  } else {
    live_.insert(task.id);
  }
  if (ended && is_root(task)) ended_roots_.insert({task.finished_at, task.id});
}

void MemoryState::put_ledger(const model::LedgerEntry& entry) {
  const auto [at, is_new] = ledger_.try_emplace({entry.schedule, entry.first_due}, entry);
  if (!is_new) {
    ledger_by_end_.erase({at->second.last_due, entry.schedule, entry.first_due});
    at->second = entry;
  }
  ledger_by_end_.insert({entry.last_due, entry.schedule, entry.first_due});
}

void MemoryState::put_listings(const engine::Batch& batch) {
  for (const engine::Drain& drain : batch.drains) {
    std::erase_if(listings_, [&drain](const auto& entry) {
      return entry.second.module == drain.module && entry.second.until != model::kForever;
    });
  }
  for (const std::string& module : batch.dropped_modules) {
    std::erase_if(listings_,
                  [&module](const auto& entry) { return entry.second.module == module; });
    std::erase_if(lanes_, [&module](const auto& entry) { return entry.first.first == module; });
  }
  for (const model::Listing& listing : batch.listings) {
    listings_.insert_or_assign(listing.task, listing);
    if (listing.until == kNever) listings_.erase(listing.task);
  }
  for (const model::Lane& lane : batch.lanes) {
    lanes_.insert_or_assign({lane.module, lane.lane}, lane);
  }
}

std::vector<TaskId> MemoryState::tree(TaskId root) const {
  std::vector<TaskId> members{root};
  for (std::size_t next = 0; next < members.size(); ++next) {
    const std::vector<TaskId> below = children(members[next]);
    members.insert(members.end(), below.begin(), below.end());
  }
  return members;
}

bool MemoryState::has_live(TaskId root) const {
  const std::vector<TaskId> members = tree(root);
  return std::any_of(members.begin(), members.end(),
                     [this](TaskId id) { return live_.contains(id); });
}

void MemoryState::sweep(const engine::Sweep& sweep) {
  sweep_trees(sweep);
  sweep_listings(sweep);
  sweep_ledger(sweep);
  sweep_deleted_jobs(sweep);
  sweep_versions();
}

void MemoryState::sweep_trees(const engine::Sweep& sweep) {
  std::vector<TaskId> roots;
  for (const auto& [finished_at, root] : ended_roots_) {
    if (finished_at >= sweep.finished_before || roots.size() >= sweep.max_roots) break;
    if (!has_live(root)) roots.push_back(root);
  }
  rows_left_ = sweep.max_rows;
  for (TaskId root : roots) {
    erase_events(root, Time::max());
    erase_from_leaves(root);
  }
  for (TaskId live : sweep.growing) sweep_below(live, sweep);
}

void MemoryState::erase_events(TaskId root, Time before) {
  for (EventSeq seq : values_of(events_by_root_, root)) {
    if (rows_left_ == 0 || events_.at(seq).at >= before) return;
    erase_event(seq);
    --rows_left_;
  }
}

void MemoryState::erase_event(EventSeq seq) {
  const model::Event& event = events_.at(seq);
  events_by_job_.erase({event.job, seq});
  events_by_root_.erase({event.root, seq});
  events_.erase(seq);
}

void MemoryState::erase_from_leaves(TaskId top) {
  std::vector<TaskId> path{top};
  while (!path.empty() && rows_left_ > 0) {
    const std::vector<TaskId> below = children(path.back());
    if (!below.empty()) {
      path.push_back(below.back());
      continue;
    }
    erase_task(path.back());
    path.pop_back();
    --rows_left_;
  }
}

void MemoryState::sweep_below(TaskId live, const engine::Sweep& sweep) {
  std::map<std::uint64_t, TaskId> folded;
  for (TaskId id : children(live)) {
    if (const std::uint64_t fold = tasks_.at(id).tally.fold) folded.emplace(fold, id);
  }
  std::size_t looked_at = 0;
  for (const auto& [fold, id] : folded) {
    const bool old = tasks_.at(id).finished_at < sweep.finished_before;
    if (!old || looked_at++ == std::min(sweep.max_roots, rows_left_)) break;
    erase_from_leaves(id);
  }
  erase_attempts(live, sweep);
  erase_events(live, sweep.finished_before);
}

void MemoryState::erase_attempts(TaskId live, const engine::Sweep& sweep) {
  std::vector<TaskId> below = children(live);
  below.resize(below.size() - std::min(below.size(), engine::kAttemptsKept));
  std::erase_if(below, [this](TaskId id) {
    const model::Task& task = tasks_.at(id);
    return task.kind != model::TaskKind::kAttempt || !model::is_final(task.state);
  });
  std::size_t looked_at = 0;
  for (const TaskId id : below) {
    const bool old = tasks_.at(id).finished_at < sweep.finished_before;
    if (!old || looked_at++ == std::min(sweep.max_roots, rows_left_)) break;
    erase_from_leaves(id);
  }
}

void MemoryState::erase_task(TaskId id) {
  const model::Task& task = tasks_.at(id);
  by_job_.erase({task.job, id});
  by_parent_.erase({task.parent, id});
  ended_roots_.erase({task.finished_at, id});
  if (task.job) --versions_[{task.job, task.job_version}].tasks;
  listings_.erase(id);
  results_.erase(id);
  tasks_.erase(id);
}

void MemoryState::sweep_listings(const engine::Sweep& sweep) {
  std::set<std::pair<Time, TaskId>> over;
  for (const auto& [task, listing] : listings_) {
    if (listing.until == model::kForever || listing.until > sweep.listed_until) continue;
    over.insert({listing.until, task});
  }
  std::uint32_t left = sweep.max_roots;
  for (auto at = over.begin(); at != over.end() && left > 0; ++at, --left) {
    listings_.erase(at->second);
  }
}

void MemoryState::sweep_ledger(const engine::Sweep& sweep) {
  for (std::uint32_t count = 0; count < sweep.max_roots && !ledger_by_end_.empty(); ++count) {
    const auto [last_due, schedule, first_due] = *ledger_by_end_.begin();
    if (last_due >= sweep.finished_before) return;
    ledger_.erase({schedule, first_due});
    ledger_by_end_.erase(ledger_by_end_.begin());
  }
}

void MemoryState::sweep_deleted_jobs(const engine::Sweep& sweep) {
  std::vector<std::pair<Time, JobUid>> gone;
  for (const auto& [uid, row] : jobs_) {
    if (row.deleted && row.job->updated_at < sweep.finished_before && !has_key(by_job_, uid)) {
      gone.emplace_back(row.job->updated_at, uid);
    }
  }
  std::sort(gone.begin(), gone.end());
  gone.resize(std::min<std::size_t>(gone.size(), sweep.max_roots));
  for (const auto& [updated_at, uid] : gone) {
    for (EventSeq seq : values_of(events_by_job_, uid)) erase_event(seq);
    jobs_.erase(uid);
  }
}

// Removes definitions that no task was started with and that are not the present one of a job.
void MemoryState::sweep_versions() {
  std::erase_if(versions_, [this](const auto& entry) {
    const auto job = jobs_.find(entry.first.first);
    const bool current = job != jobs_.end() && job->second.job->version == entry.first.second;
    return entry.second.tasks == 0 && !current;
  });
}

std::set<TaskId> MemoryState::live_members() const {
  std::set<TaskId> members;
  std::vector<TaskId> open(live_.begin(), live_.end());
  while (!open.empty()) {
    const auto task = tasks_.find(open.back());
    open.pop_back();
    if (task == tasks_.end() || !members.insert(task->first).second) continue;
    if (task->second.parent) open.push_back(task->second.parent);
    if (!task->second.job) continue;
    const std::vector<TaskId> below = children(task->first);
    const std::size_t kept = std::min(below.size(), engine::kAttemptsKept);
    for (std::size_t at = 0; at < below.size(); ++at) {
      const model::Task& child = tasks_.at(below[at]);
      const bool stays = model::is_step(child) && child.tally.fold == 0;
      if (stays || at + kept >= below.size()) open.push_back(child.id);
    }
  }
  return members;
}

engine::Snapshot MemoryState::snapshot() const {
  engine::Snapshot snapshot;
  std::set<VersionKey> used;
  for (TaskId id : live_members()) {
    const model::Task& task = tasks_.at(id);
    snapshot.tasks.push_back(task);
    used.insert({task.job, task.job_version});
  }
  for (const auto& [uid, row] : jobs_) {
    const auto use = used.lower_bound({uid, 0});
    if (!row.deleted || (use != used.end() && use->first == uid)) snapshot.jobs.push_back(row);
  }
  for (const VersionKey& key : used) {
    const auto job = jobs_.find(key.first);
    const bool current = job != jobs_.end() && job->second.job->version == key.second;
    const auto version = versions_.find(key);
    if (!current && version != versions_.end() && version->second.job) {
      snapshot.frozen.push_back(version->second.job);
    }
  }
  for (const auto& [uid, schedule] : schedules_) snapshot.schedules.push_back(schedule);
  for (const auto& [name, lock] : locks_) snapshot.locks.push_back(lock);
  for (const auto& [path, secret] : secrets_) snapshot.secrets.push_back(secret);
  for (const auto& [id, record] : records_) snapshot.records.push_back(record);
  for (const auto& [key, lane] : lanes_) snapshot.lanes.push_back(lane);
  snapshot.clock = clock_;
  snapshot.epoch = epoch_;
  snapshot.last_job = last_job_;
  snapshot.last_schedule = last_schedule_;
  snapshot.last_task = last_task_;
  snapshot.last_event = last_event_;
  snapshot.last_record = last_record_;
  return snapshot;
}

}  // namespace docket::store
