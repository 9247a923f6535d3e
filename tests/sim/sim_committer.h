#pragma once

// The writer of the simulated server: every commit takes a while, and the world may end before,
// during or after it. Also the disk it writes to, which can be slow, full or broken.

#include <functional>
#include <memory>

#include "engine/loop.h"
#include "sim/dice.h"
#include "sim/timeline.h"
#include "sim/verdict.h"
#include "store/memory/memory_store.h"

namespace docket::sim {

// The condition of the disk: changed by faults, felt by commits. Outlives the server.
struct DiskHealth {
  Duration latency_max = std::chrono::milliseconds{5};
  bool full = false;
  int reserve = kReserve;  // commits that fit into the room that was kept for the end of work
  bool reserve_open = false;
  store::CommitFate next = store::CommitFate::kDurable;  // of one commit
  bool lies = false;  // a mutation: now and then reports success for what it did not write
  std::function<void(engine::Batch&)> damage;  // a mutation: done to what is written
  static constexpr int kReserve = 200;

  store::CommitFate fate();
};

class SimReserve : public engine::Loop::Reserve {
 public:
  explicit SimReserve(DiskHealth& disk) : disk_(disk) {}
  bool release() override { return !std::exchange(disk_.reserve_open, true) && disk_.reserve > 0; }
  std::string trouble() override {
    if (disk_.full) return "The disk is full";
    disk_.reserve = DiskHealth::kReserve;
    disk_.reserve_open = false;
    return {};
  }

 private:
  DiskHealth& disk_;
};

class SimCommitter : public engine::Committer {
 public:
  SimCommitter(Timeline& timeline, engine::Store& store, DiskHealth& disk, Dice dice,
               Verdict& verdict)
      : timeline_(timeline), store_(store), disk_(disk), dice_(dice), verdict_(verdict) {}

  void commit(std::shared_ptr<const engine::Batch> batch, Done done) override;
  void server_died();  // the batch in flight may be on disk or not
  bool busy() const { return batch_ != nullptr; }
  // Called when a commit begins: a good moment for faults.
  void on_begin(std::function<void()> watcher) { watcher_ = std::move(watcher); }

 private:
  void write();

  Timeline& timeline_;
  engine::Store& store_;
  DiskHealth& disk_;
  Dice dice_;
  Verdict& verdict_;
  std::shared_ptr<const engine::Batch> batch_;  // shared with the loop, which may try it again
  bool written_ = false;
  Done done_;
  std::function<void()> watcher_;
};

}  // namespace docket::sim
