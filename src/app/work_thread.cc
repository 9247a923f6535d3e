#include "app/work_thread.h"

#include <pthread.h>

#include <utility>

namespace docket::app {

WorkThread::WorkThread(const std::string& name) : thread_([this] { work(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

WorkThread::~WorkThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void WorkThread::run(std::function<void()> piece) {
  {
    const std::lock_guard lock(mutex_);
    pieces_.push_back(std::move(piece));
  }
  wake_.notify_one();
}

void WorkThread::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !pieces_.empty(); });
    if (stopping_) return;
    const auto piece = std::move(pieces_.front());
    pieces_.pop_front();
    lock.unlock();
    piece();
  }
}

}  // namespace docket::app
