#include "store/sqlite/checkpointer.h"

#include <sqlite3.h>

namespace docket::store {
namespace {

// So much is copied within a commit: a millisecond or two.
constexpr std::uint32_t kShortRest = 512;
// The log may grow to this many times its goal before a commit copies all of it itself.
constexpr std::uint32_t kPatience = 4;

void leave_log_on_close(Database& database) {
  sqlite3_db_config(database.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

}  // namespace

Result<std::unique_ptr<Checkpointer>> Checkpointer::start(Database& writer, const std::string& file,
                                                          const std::string& vfs,
                                                          const SqliteOptions& options) {
  std::unique_ptr<Checkpointer> made(new Checkpointer(writer, options.checkpoint_pages));
  // If the last life ended with a failed sync, pages of the log may be in the cache of the kernel
  // only. Copying them writes them again and syncs them, before anything new is acknowledged.
  made->copy(writer);
  if (made->failed_) return fail(ErrorKind::kUnavailable, "cannot copy the log into the database");
  sqlite3_wal_hook(writer.handle(), on_commit, made.get());
  if (options.checkpoints == Checkpoints::kInCommits) return made;
  Result<Database> own = Database::open(file, Access::kReadWrite, vfs);
  if (!own) return fail(own.error());
  Result<> ready = own->run("PRAGMA synchronous = FULL; PRAGMA cache_size = 10");
  if (!ready) return fail(ready.error());
  made->own_ = std::move(*own);
  made->thread_ = std::thread([self = made.get()] { self->work(); });
  return made;
}

Checkpointer::~Checkpointer() {
  sqlite3_wal_hook(writer_.handle(), nullptr, nullptr);
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
  const std::uint32_t copied = copied_;
  const bool rest_is_short = copied > 0 && log_pages_ > copied && log_pages_ - copied < kShortRest;
  if (rest_is_short || log_pages_ - tried_at_ >= pages_ * kPatience) {
    tried_at_ = log_pages_;
    copy(writer_);
    copied_ = 0;  // once for each round of the thread
  } else if (log_pages_ - tried_at_ >= pages_) {
    tried_at_ = log_pages_;
    if (own_) {
      ask_thread();
    } else {
      copy(writer_);
    }
  }
}

void Checkpointer::stop_for_good() {
  failed_ = true;
  leave_log_on_close(writer_);
  if (own_) leave_log_on_close(*own_);
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
    copied_ = copy(*own_);
    lock.lock();
    if (thread_state_ == Thread::kAsked) thread_state_ = Thread::kIdle;
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
  if (kind != ErrorKind::kExhausted) {
    failed_ = true;
    leave_log_on_close(database);
  }
  return 0;
}

}  // namespace docket::store
