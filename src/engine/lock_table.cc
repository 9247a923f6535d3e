#include "engine/lock_table.h"

namespace docket::engine {

const model::Lock* LockTable::find(const std::string& name) const {
  const auto it = locks_.find(name);
  return it == locks_.end() ? nullptr : &it->second;
}

void LockTable::grant(std::span<const model::LockWish> wishes, const model::Task& holder, Time now,
                      std::vector<model::Lock>& changed) {
  for (const model::LockWish& wish : wishes) {
    model::Lock& lock = locks_[wish.name];
    if (lock.holder == holder.id) continue;  // the same name wished twice
    if (lock.holder && lock.holder == holder.root) continue;
    lock.name = wish.name;
    ++lock.fencing;
    lock.holder = holder.id;
    lock.held_since = now;
    changed.push_back(lock);
  }
}

void LockTable::release(std::span<const model::LockWish> wishes, TaskId holder,
                        std::vector<model::Lock>& changed) {
  for (const model::LockWish& wish : wishes) {
    const auto it = locks_.find(wish.name);
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
