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
    std::string job_id = state.job_id(task.job);
    if (matches(query, task, job_id)) page.push_back({task, std::move(job_id)});
  }
  return page;
}

bool counts(const engine::HistoryQuery& query, const model::Task& run) {
  return model::is_final(run.state) && (run.state == model::State::kDone) == query.succeeded;
}

}  // namespace

Result<std::optional<engine::TaskRow>> MemoryReader::task(TaskId id) {
  const std::lock_guard guard(disk_->mutex);
  const model::Task* found = disk_->state.task(id);
  if (!found) return std::nullopt;
  return engine::TaskRow{*found, disk_->state.job_id(found->job)};
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
    }
  }
  return page;
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

Result<std::optional<model::JobPtr>> MemoryReader::job_version(JobUid job, std::uint32_t version) {
  const std::lock_guard guard(disk_->mutex);
  model::JobPtr found = disk_->state.job_version(job, version);
  if (!found) return std::nullopt;
  return found;
}

}  // namespace docket::store
