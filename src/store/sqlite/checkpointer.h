#pragma once

// Moves committed pages from the write-ahead log into the database file, so that the log stays
// short.
//
// Idea: a checkpoint is a few thousand page writes and a sync of the database file; done inside a
// commit it would be felt as a pause. So a thread does the bulk over a connection of its own while
// commits go on (a passive checkpoint blocks nobody). SQLite starts the log anew only when all of
// it was copied at the moment a commit begins, which never happens by itself under steady load; so
// when the thread is done, the next commit copies the short rest itself.
//
// A sync of the database file that fails is final like any other: after it the kernel may claim
// that pages are on disk that are not. The log still has them, and opening the store anew copies
// them again.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "core/result.h"
#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::store {

class Checkpointer {
 public:
  // Copies what an earlier life left in the log, then waits for work. `writer` must outlive it.
  static Result<std::unique_ptr<Checkpointer>> start(Database& writer, const std::string& file,
                                                     const std::string& vfs,
                                                     const SqliteOptions& options);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void after_commit();  // writer's thread
  // Any thread. No more copying from now on: the log stays for the next life, even when the store
  // is closed.
  void stop_for_good() { failed_ = true; }
  bool failed() const { return failed_; }

 private:
  Checkpointer(Database& writer, std::uint32_t pages) : writer_(writer), pages_(pages) {}
  void work();
  void ask_thread();
  void copy_in_commit();
  // Pages of the log that are in the database file now.
  std::uint32_t copy(Database& database);
  static int on_commit(void* self, sqlite3*, const char*, int log_pages);

  Database& writer_;
  const std::uint32_t pages_;
  std::uint32_t log_pages_ = 0;  // after the last commit
  std::uint32_t tried_at_ = 0;   // log_pages_ when a commit last copied
  std::atomic<std::uint32_t> copied_ = 0;
  std::atomic<bool> failed_ = false;

  enum class Thread { kIdle, kAsked, kStopping };
  std::optional<Database> own_;  // the thread's; none: commits copy
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  Thread thread_state_ = Thread::kIdle;
  std::thread thread_;
};

}  // namespace docket::store
