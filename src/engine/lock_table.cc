#include "engine/lock_table.h"

namespace docket::engine {

const model::Lock* LockTable::find(const std::string& name) const {
  const auto it = locks_.find(name);
  return it == locks_.end() ? nullptr : &it->second;
}

void LockTable::grant(std::span<const model::LockRequest> requests, const model::Task& holder,
                      Time now, std::vector<model::Lock>& changed) {
  for (const model::LockRequest& request : requests) {
    model::Lock& lock = locks_[request.name];
    if (lock.holder == holder.id) continue;  // the same name requested twice
    if (lock.holder && lock.holder == holder.root) continue;
    lock.name = request.name;
    ++lock.fencing;
    lock.holder = holder.id;
    lock.held_since = now;
    changed.push_back(lock);
  }
}

void LockTable::release(std::span<const model::LockRequest> requests, TaskId holder,
                        std::vector<model::Lock>& changed) {
  for (const model::LockRequest& request : requests) {
    const auto it = locks_.find(request.name);
    if (it == locks_.end() || it->second.holder != holder) continue;
    it->second.holder = TaskId{};
    it->second.held_since = kNever;
    changed.push_back(it->second);
  }
}

void LockTable::restore(std::vector<model::Lock> locks) {
  for (model::Lock& lock : locks) locks_.emplace(lock.name, std::move(lock));
}

}  // namespace docket::engine
