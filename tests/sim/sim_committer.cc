#include "sim/sim_committer.h"

#include <utility>

namespace docket::sim {

using store::CommitFate;

CommitFate DiskHealth::fate() {
  if (next != CommitFate::kDurable) return std::exchange(next, CommitFate::kDurable);
  if (!full) return CommitFate::kDurable;
  if (!reserve_open || reserve <= 0) return CommitFate::kNoRoom;
  --reserve;
  return CommitFate::kDurable;
}

void SimCommitter::commit(std::shared_ptr<const engine::Batch> batch, Done done) {
  verdict_.require(!busy(), "one commit at a time");
  batch_ = std::move(batch);
  if (disk_.damage) {
    const auto damaged = std::make_shared<engine::Batch>(*batch_);  // as batch_ is
    disk_.damage(*damaged);
    batch_ = damaged;
  }
  done_ = std::move(done);
  written_ = false;
  verdict_.tell("commit", batch_->tasks.size(), batch_->events.size(), batch_->ledger.size());
  const Duration latency = dice_.spread(std::chrono::microseconds{20}, disk_.latency_max);
  timeline_.at_server(timeline_.now() + latency, [this] { write(); });
  if (watcher_) watcher_();
}

void SimCommitter::write() {
  const bool lie = disk_.lies && dice_.one_in(50);
  const Result<> result = lie ? Result<>{} : store_.commit(*batch_);
  written_ = true;
  const Duration latency = dice_.spread(std::chrono::microseconds{5}, disk_.latency_max);
  timeline_.at_server(timeline_.now() + latency, [this, result] {
    batch_.reset();
    std::exchange(done_, nullptr)(result);
  });
}

void SimCommitter::server_died() {
  if (batch_ && !written_ && dice_.percent(50)) (void)store_.commit(*batch_);
}

}  // namespace docket::sim
