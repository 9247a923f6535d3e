#include "engine/lock_table.h"

namespace docket::engine {

const model::Lock* LockTable::find(const std::string& name) const {
  const auto it = locks_.find(name);
  return it == locks_.end() ? nullptr : &it->second;
}

void LockTable::grant(const std::vector<model::LockWish>& wishes, TaskId holder, Time now,
                      std::vector<model::Lock>& changed) {
  for (const model::LockWish& wish : wishes) {
    model::Lock& lock = locks_[wish.name];
    if (lock.holder == holder) continue;  // the same name wished twice
    lock.name = wish.name;
    ++lock.fencing;
    lock.holder = holder;
    lock.held_since = now;
    changed.push_back(lock);
  }
}

void LockTable::release(const std::vector<model::LockWish>& wishes, TaskId holder,
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
