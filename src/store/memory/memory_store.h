#pragma once

// A store in memory, for unit tests and the simulator. It is as durable as its MemoryDisk: a new
// MemoryStore on the disk of the old one is the world after a restart. A CommitHook decides what
// becomes of each commit, so that a simulator can fill the disk, crash before or after a commit,
// or fail with the outcome unknown:
//
//   auto disk = std::make_shared<MemoryDisk>();
//   MemoryStore store(disk, [&](const engine::Batch&) { return dice.next_fate(); });
//   ...                             // the engine crashes
//   MemoryStore again(disk, ...);   // and starts again
//
// Threads: load() and commit() from one thread at a time, readers from any; one mutex guards the
// disk.

#include <functional>
#include <memory>
#include <string>

#include "store/memory/memory_reader.h"

namespace docket::store {

enum class CommitFate {
  kDurable,
  kNoRoom,        // kExhausted: nothing is written, the same batch may come again
  kFailedAbsent,  // the store fails for good; the batch is not there after a restart
  kFailedThere,   // the store fails for good; the batch is there after a restart, though it was not
                  // acknowledged
};
using CommitHook = std::function<CommitFate(const engine::Batch&)>;

class MemoryStore : public engine::Store {
 public:
  explicit MemoryStore(std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>(),
                       CommitHook hook = {})
      : disk_(std::move(disk)), hook_(std::move(hook)) {}

  Result<engine::Snapshot> load() override;
  Result<> commit(const engine::Batch& batch) override;
  Result<std::unique_ptr<engine::Reader>> open_reader() override;
  // Not supported: kUnavailable. clone() is this store's backup.
  Result<> backup(const std::string& file) override;

  // A copy of everything, for simulations that branch; costs the whole state.
  std::shared_ptr<MemoryDisk> clone() const;

 private:
  std::shared_ptr<MemoryDisk> disk_;  // shared with readers, and with whoever restarts the world
  CommitHook hook_;
  bool failed_ = false;
};

}  // namespace docket::store
