#include "store/memory/memory_store.h"

namespace docket::store {

Result<engine::Snapshot> MemoryStore::load() {
  const std::lock_guard guard(disk_->mutex);
  return disk_->state.snapshot();
}

Result<> MemoryStore::commit(const engine::Batch& batch) {
  if (failed_) return fail(ErrorKind::kUnavailable, "the store failed before");
  const CommitFate fate = hook_ ? hook_(batch) : CommitFate::kDurable;
  if (fate == CommitFate::kNoRoom) return fail(ErrorKind::kExhausted, "no room on the disk");
  failed_ = fate != CommitFate::kDurable;
  if (fate == CommitFate::kFailedAbsent) return fail(ErrorKind::kUnavailable, "the store failed");
  const std::lock_guard guard(disk_->mutex);
  Result<> applied = disk_->state.apply(batch);
  if (!applied) failed_ = true;
  if (applied && failed_) return fail(ErrorKind::kUnavailable, "the store failed");
  return applied;
}

Result<std::unique_ptr<engine::Reader>> MemoryStore::open_reader() {
  return std::make_unique<MemoryReader>(disk_);
}

Result<> MemoryStore::backup(const std::string& file) {
  return fail(ErrorKind::kUnavailable, "a store in memory has no file to copy to " + file);
}

std::shared_ptr<MemoryDisk> MemoryStore::clone() const {
  auto copy = std::make_shared<MemoryDisk>();
  const std::lock_guard guard(disk_->mutex);
  copy->state = disk_->state;
  return copy;
}

}  // namespace docket::store
