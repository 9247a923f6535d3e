#include "app/read_pool.h"

#include <exception>
#include <memory>
#include <utility>

namespace docket::app {
namespace {

// Used when no connection can be opened: every read returns the reason.
class NoReader : public engine::Reader {
 public:
  explicit NoReader(Error error) : error_(std::move(error)) {}
  Result<std::optional<engine::TaskRow>> task(TaskId) override { return fail(error_); }
  Result<std::vector<engine::TaskRow>> tasks(const engine::TaskQuery&) override {
    return fail(error_);
  }
  Result<std::vector<engine::FinishedRun>> history(const engine::HistoryQuery&) override {
    return fail(error_);
  }
  Result<std::vector<model::Event>> events(const engine::EventQuery&) override {
    return fail(error_);
  }
  Result<std::optional<model::Event>> event(EventSeq) override { return fail(error_); }
  Result<std::optional<std::string>> result(TaskId) override { return fail(error_); }
  Result<std::vector<model::LedgerEntry>> ledger(ScheduleUid, Time, Time, std::uint32_t) override {
    return fail(error_);
  }
  Result<std::vector<engine::TaskRow>> children(const engine::ChildQuery&) override {
    return fail(error_);
  }
  Result<std::vector<engine::ListedRow>> listed(const engine::ListedQuery&) override {
    return fail(error_);
  }
  Result<std::optional<model::Listing>> listing(TaskId) override { return fail(error_); }
  Result<std::optional<TaskId>> task_of_uuid(const std::string&) override { return fail(error_); }
  Result<std::optional<model::JobPtr>> job_version(JobUid, std::uint32_t) override {
    return fail(error_);
  }

 private:
  Error error_;
};

}  // namespace

ReadPool::ReadPool(engine::Store& store, unsigned threads) : store_(store) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

ReadPool::~ReadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ReadPool::read(std::function<void(engine::Reader&)> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void ReadPool::run() {
  std::unique_ptr<engine::Reader> reader;
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    Error error;
    if (!reader) {
      auto opened = store_.open_reader();
      if (opened) {
        reader = std::move(*opened);
      } else {
        error = opened.error();
      }
    }
    NoReader none(error);
    // A handler that throws drops its reply, which answers 500; the thread continues with a new
    // connection.
    try {
      work(reader ? *reader : none);
    } catch (const std::exception&) {
      reader.reset();
    }
  }
}

}  // namespace docket::app
