#pragma once

// The writer: commits ticks to the store on a thread of its own, one after the other, and reports
// back on the io thread.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/ports.h"
#include "engine/store.h"

namespace docket::app {

class CommitThread : public engine::Committer {
 public:
  // post: runs work on the io thread. between: called on the writer after each commit, while
  // nothing is waiting.
  CommitThread(engine::Store& store, std::function<void(std::function<void()>)> post);
  ~CommitThread() override;  // finishes the commit in progress
  void commit(std::shared_ptr<const engine::Batch> batch, Done done) override;

 private:
  struct Work {
    std::shared_ptr<const engine::Batch> batch;
    Done done;
  };
  void run();

  engine::Store& store_;
  std::function<void(std::function<void()>)> post_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Work> work_;
  bool stopping_ = false;
  std::thread thread_;  // last: starts once everything else exists
};

}  // namespace docket::app
