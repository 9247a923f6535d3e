#pragma once

// Threads for slow reads: history, lists, logs. Each has its own connection to the store, opened
// when first needed.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/ports.h"
#include "engine/store.h"

namespace docket::app {

class ReadPool : public engine::Archive {
 public:
  ReadPool(engine::Store& store, unsigned threads);
  ~ReadPool() override;  // drops work that has not begun
  void read(std::function<void(engine::Reader&)> work) override;

 private:
  void run();

  engine::Store& store_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(engine::Reader&)>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace docket::app
