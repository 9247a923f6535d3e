#include "store/memory/memory_reader.h"

#include <algorithm>

namespace docket::store {
namespace {

using engine::kMaxPage;

template <class T>
bool admits(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}

bool matches(const engine::TaskQuery& query, const model::Task& task, const std::string& job_id) {
  const bool state_fits =
      query.states.empty() ||
      std::find(query.states.begin(), query.states.end(), task.state) != query.states.end();
  return state_fits && admits(query.parent, task.parent) && admits(query.job, task.job) &&
         admits(query.job_id, job_id) && admits(query.name, task.name) &&
         admits(query.schedule, task.schedule) &&
         (!query.created_from || task.created_at >= *query.created_from) &&
         (!query.created_until || task.created_at < *query.created_until);
}

// Appends what matches in [first, last) until the page is full.
template <class Iterator>
std::vector<engine::TaskRow> collect(const MemoryState& state, const engine::TaskQuery& query,
                                     Iterator first, Iterator last) {
  std::vector<engine::TaskRow> page;
  const std::uint32_t limit = std::min(query.limit, kMaxPage);
  for (; first != last && page.size() < limit; ++first) {
    const model::Task& task = first->second;
    if (matches(query, task, state.job_id(task.job))) page.push_back(state.row_of(task));
  }
  return page;
}

bool counts(const engine::HistoryQuery& query, const model::Task& run) {
  return model::is_final(run.state) && (run.state == model::State::kDone) == query.succeeded;
}

engine::Fold fold_of(const model::Task& child, const model::Task& parent) {
  const bool folded = parent.job ? model::is_final(child.state) : child.tally.fold != 0;
  if (!folded) return engine::Fold::kUnfolded;
  return model::is_failing(child) ? engine::Fold::kKept : engine::Fold::kFolded;
}

// Whether a child of fold `child` is among those that `wanted` asks for.
bool shows(engine::Fold child, engine::Fold wanted) {
  return child == wanted || (child == engine::Fold::kKept && wanted == engine::Fold::kFolded);
}

bool shows(const engine::ListedQuery& query, const model::Listing& listing) {
  const bool behind = !query.after || std::pair(listing.until, listing.task) >
                                          std::pair(query.after_until, *query.after);
  return behind && listing.module == query.module && listing.lane == query.lane &&
         listing.internal == query.internal && listing.until > query.now;
}

}  // namespace

Result<std::optional<engine::TaskRow>> MemoryReader::task(TaskId id) {
  const std::lock_guard guard(disk_->mutex);
  const model::Task* found = disk_->state.task(id);
  if (!found) return std::nullopt;
  return disk_->state.row_of(*found);
}

Result<std::vector<engine::TaskRow>> MemoryReader::tasks(const engine::TaskQuery& query) {
  const std::lock_guard guard(disk_->mutex);
  const auto& tasks = disk_->state.tasks();
  if (query.order == engine::Order::kOldestFirst) {
    const auto first = query.after ? tasks.upper_bound(*query.after) : tasks.begin();
    return collect(disk_->state, query, first, tasks.end());
  }
  const auto end = query.after ? tasks.lower_bound(*query.after) : tasks.end();
  return collect(disk_->state, query, std::make_reverse_iterator(end), tasks.rend());
}

Result<std::vector<engine::FinishedRun>> MemoryReader::history(const engine::HistoryQuery& query) {
  const std::lock_guard guard(disk_->mutex);
  const MemoryState& state = disk_->state;
  std::vector<const model::Task*> runs;
  for (TaskId id : state.roots_of_job(query.job)) {
    const model::Task* run = state.task(id);
    if (counts(query, *run)) runs.push_back(run);
  }
  std::sort(runs.begin(), runs.end(), [](const model::Task* one, const model::Task* other) {
    return std::pair(one->finished_at, one->id) > std::pair(other->finished_at, other->id);
  });
  runs.resize(std::min<std::size_t>(runs.size(), std::min(query.limit, kMaxPage)));
  std::vector<engine::FinishedRun> page;
  for (const model::Task* run : runs) page.push_back({*run, state.children(run->id)});
  return page;
}

Result<std::vector<model::Event>> MemoryReader::events(const engine::EventQuery& query) {
  const std::lock_guard guard(disk_->mutex);
  const auto& events = disk_->state.events();
  const std::uint32_t limit = std::min(query.limit, kMaxPage);
  std::vector<model::Event> page;
  for (auto at = events.upper_bound(query.after); at != events.end() && page.size() < limit; ++at) {
    const model::Event& event = at->second;
    if (admits(query.root, event.root) && admits(query.task, event.task) &&
        admits(query.job, event.job)) {
      page.push_back(event);
      page.back().detail = nullptr;
    }
  }
  return page;
}

Result<std::optional<model::Event>> MemoryReader::event(EventSeq seq) {
  const std::lock_guard guard(disk_->mutex);
  const auto found = disk_->state.events().find(seq);
  if (found == disk_->state.events().end()) return std::nullopt;
  return found->second;
}

Result<std::optional<std::string>> MemoryReader::result(TaskId task) {
  const std::lock_guard guard(disk_->mutex);
  const auto found = disk_->state.results().find(task);
  if (found == disk_->state.results().end()) return std::nullopt;
  return found->second;
}

Result<std::vector<model::LedgerEntry>> MemoryReader::ledger(ScheduleUid schedule, Time from,
                                                             Time until, std::uint32_t limit) {
  const std::lock_guard guard(disk_->mutex);
  const auto& ledger = disk_->state.ledger();
  std::vector<model::LedgerEntry> page;
  for (auto at = ledger.lower_bound({schedule, Time::min()});
       at != ledger.end() && at->first.first == schedule && at->first.second < until &&
       page.size() < std::min(limit, kMaxPage);
       ++at) {
    if (at->second.last_due >= from) page.push_back(at->second);
  }
  return page;
}

Result<std::vector<engine::TaskRow>> MemoryReader::children(const engine::ChildQuery& query) {
  const std::lock_guard guard(disk_->mutex);
  const MemoryState& state = disk_->state;
  std::map<std::uint64_t, const model::Task*> in_order;
  const model::Task* parent = state.task(query.parent);
  if (!parent) return std::vector<engine::TaskRow>{};
  for (TaskId id : state.children(parent->id)) {
    const model::Task* child = state.task(id);
    if (!shows(fold_of(*child, *parent), query.which)) continue;
    in_order.emplace(engine::place_of(*child), child);
  }
  std::vector<engine::TaskRow> page;
  for (auto at = in_order.upper_bound(query.after);
       at != in_order.end() && page.size() < std::min(query.limit, kMaxPage); ++at) {
    page.push_back(state.row_of(*at->second));
  }
  return page;
}

Result<std::vector<engine::ListedRow>> MemoryReader::listed(const engine::ListedQuery& query) {
  const std::lock_guard guard(disk_->mutex);
  const MemoryState& state = disk_->state;
  std::set<std::pair<Time, TaskId>> in_order;
  for (const auto& [task, listing] : state.listings()) {
    if (shows(query, listing) && state.task(task)) in_order.emplace(listing.until, task);
  }
  std::vector<engine::ListedRow> page;
  for (const auto& [until, id] : in_order) {
    if (page.size() >= std::min(query.limit, kMaxPage)) break;
    const model::Task& task = *state.task(id);
    page.push_back({state.row_of(task), until});
  }
  return page;
}

Result<std::optional<model::Listing>> MemoryReader::listing(TaskId task) {
  const std::lock_guard guard(disk_->mutex);
  const auto found = disk_->state.listings().find(task);
  if (found == disk_->state.listings().end()) return std::nullopt;
  return found->second;
}

Result<std::optional<TaskId>> MemoryReader::task_of_uuid(const std::string& uuid) {
  const std::lock_guard guard(disk_->mutex);
  const auto& tasks = disk_->state.tasks();
  for (auto at = tasks.rbegin(); at != tasks.rend() && !uuid.empty(); ++at) {
    const model::Task& task = at->second;
    if (task.operation && task.operation->uuid == uuid) return task.id;
  }
  return std::nullopt;
}

Result<std::optional<model::JobPtr>> MemoryReader::job_version(JobUid job, std::uint32_t version) {
  const std::lock_guard guard(disk_->mutex);
  model::JobPtr found = disk_->state.job_version(job, version);
  if (!found) return std::nullopt;
  return found;
}

}  // namespace docket::store
