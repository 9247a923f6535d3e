#include "store/sqlite/checkpointer.h"

#include <sqlite3.h>

namespace docket::store {
namespace {

// A commit copies at most this many pages: a few milliseconds.
constexpr std::uint32_t kShortRest = 1024;
// When the log is this many times its goal, a commit copies all of it whatever it takes.
constexpr std::uint32_t kPatience = 4;

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::start(Database& writer, const std::string& file,
                                                          const std::string& vfs,
                                                          const SqliteOptions& options) {
  std::unique_ptr<Checkpointer> made(new Checkpointer(writer, options.checkpoint_pages));
  // If the last life ended with a failed sync, pages of the log may be in the kernel's cache only.
  // Copying them writes them again and syncs them, before anything new is acknowledged.
  made->copy(writer);
  if (made->failed_) return fail(ErrorKind::kUnavailable, "cannot copy the log into the database");
  sqlite3_wal_hook(writer.handle(), on_commit, made.get());
  if (options.checkpoints == Checkpoints::kInCommits) return made;
  Result<Database> own = Database::open(file, Access::kReadWrite, vfs);
  if (!own) return fail(own.error());
  Result<> ready = own->run("PRAGMA synchronous = FULL; PRAGMA cache_size = 10");
  if (!ready) return fail(ready.error());
  own->leave_log_on_close();
  made->own_ = std::move(*own);
  made->thread_ = std::thread([self = made.get()] { self->work(); });
  return made;
}

Checkpointer::~Checkpointer() {
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
  if (failed_) writer_.leave_log_on_close();
  if (!thread_.joinable()) return;
  {
    const std::lock_guard guard(mutex_);
    thread_state_ = Thread::kStopping;
  }
  wake_.notify_one();
  thread_.join();
}

int Checkpointer::on_commit(void* self, sqlite3*, const char*, int log_pages) {
  static_cast<Checkpointer*>(self)->log_pages_ = static_cast<std::uint32_t>(log_pages);
  return SQLITE_OK;
}

void Checkpointer::after_commit() {
  if (log_pages_ < tried_at_) {  // the log was started anew
    tried_at_ = 0;
    copied_ = 0;
  }
  if (log_pages_ < pages_) return;
  const std::uint32_t copied = copied_;
  const std::uint32_t rest = copied <= log_pages_ ? log_pages_ - copied : log_pages_;
  const std::uint32_t grown = log_pages_ - tried_at_;  // since a commit copied
  const bool out_of_patience = log_pages_ >= pages_ * kPatience;
  if (own_ && !out_of_patience && rest >= kShortRest) {
    ask_thread();
  } else if (grown >= (own_ && !out_of_patience ? kShortRest : pages_)) {
    copy_in_commit();
  }
}

// A reader of an old snapshot can keep the log from starting anew; then this is tried again when it
// has grown some more.
void Checkpointer::copy_in_commit() {
  if (own_) {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return thread_state_ == Thread::kIdle; });
  }
  tried_at_ = log_pages_;
  copied_ = copy(writer_);
}

void Checkpointer::ask_thread() {
  {
    const std::lock_guard guard(mutex_);
    if (thread_state_ == Thread::kIdle) thread_state_ = Thread::kAsked;
  }
  wake_.notify_one();
}

void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return thread_state_ != Thread::kIdle; });
    if (thread_state_ == Thread::kStopping) return;
    lock.unlock();
    if (!failed_) copied_ = copy(*own_);
    lock.lock();
    if (thread_state_ == Thread::kAsked) thread_state_ = Thread::kIdle;
    idle_.notify_one();
  }
}

std::uint32_t Checkpointer::copy(Database& database) {
  int in_log = 0;
  int copied = 0;
  const int code = sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &in_log, &copied);
  if (code == SQLITE_OK) return copied > 0 ? static_cast<std::uint32_t>(copied) : 0;
  const ErrorKind kind = error_of(database.handle(), code, "checkpoint").kind;
  // No room for the database to grow: the log grows instead, until there is.
  if (kind != ErrorKind::kExhausted) failed_ = true;
  return 0;
}

}  // namespace docket::store
