#include "app/commit_thread.h"

#include <pthread.h>

#include <exception>
#include <utility>

namespace docket::app {
namespace {

// Running out of memory during a commit leaves the store in an unknown state.
Result<> commit_or_fail(engine::Store& store, const engine::Batch& batch) {
  try {
    return store.commit(batch);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, error.what());
  }
}

}  // namespace

CommitThread::CommitThread(engine::Store& store, std::function<void(std::function<void()>)> post)
    : store_(store), post_(std::move(post)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "docket-commit");
}

CommitThread::~CommitThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void CommitThread::commit(std::shared_ptr<const engine::Batch> batch, Done done) {
  {
    const std::lock_guard lock(mutex_);
    work_ = Work{std::move(batch), std::move(done)};
  }
  wake_.notify_one();
}

void CommitThread::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || work_; });
    if (!work_) return;
    Work work = *std::exchange(work_, std::nullopt);
    lock.unlock();
    Result<> result = commit_or_fail(store_, *work.batch);
    work.batch.reset();
    post_([done = std::move(work.done), result = std::move(result)] { done(result); });
  }
}

}  // namespace docket::app
