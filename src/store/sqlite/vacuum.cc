#include "store/sqlite/vacuum.h"

#include <sqlite3.h>

#include "store/sqlite/database.h"

namespace docket::store {
namespace {

// The slice of one transaction: a few milliseconds, so that a commit hardly waits.
constexpr const char* kSlice = "PRAGMA incremental_vacuum(64)";
constexpr int kSlicesPerCheckpoint = 32;
constexpr std::int64_t kIncremental = 2;  // PRAGMA auto_vacuum

struct Log {
  int pages = 0;   // in it
  int copied = 0;  // of these, in the database too
};

Result<Database> open_beside(const std::string& file, const std::string& vfs) {
  Result<Database> database = Database::open(file, Access::kReadWrite, vfs);
  if (!database) return database;
  // Whatever happens here, the log must stay for the writer's next life.
  database->leave_log_on_close();
  Result<> ready = database->run(
      "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -8192");
  if (!ready) return fail(ready.error());
  return database;
}

// Blocks nobody. A checkpoint that is already under way does the same work.
Result<Log> checkpoint(Database& database, int mode) {
  Log log;
  const int code =
      sqlite3_wal_checkpoint_v2(database.handle(), nullptr, mode, &log.pages, &log.copied);
  const bool busy = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
  if (code != SQLITE_OK && !busy) return fail(error_of(database.handle(), code, "checkpoint"));
  return log;
}

// Copies the bulk first, which stops no commit; then the short rest, if nobody has to be waited
// for.
Result<Log> empty_log(Database& database) {
  Result<Log> log = checkpoint(database, SQLITE_CHECKPOINT_PASSIVE);
  if (!log) return log;
  sqlite3_busy_timeout(database.handle(), 0);
  if (auto emptied = checkpoint(database, SQLITE_CHECKPOINT_TRUNCATE); !emptied) return emptied;
  return log;
}

Result<std::int64_t> free_pages(Database& database) {
  const Result<std::int64_t> mode = database.number("PRAGMA auto_vacuum");
  if (!mode) return fail(mode.error());
  return *mode == kIncremental ? database.number("PRAGMA freelist_count") : 0;
}

// Pages that become free meanwhile are left for the next time.
Result<> give_back(Database& database, std::int64_t all, engine::CareWatch& watch) {
  std::int64_t left = all;
  for (int slice = 1; left > 0; ++slice) {
    if (Result<> moved = database.run(kSlice); !moved) return moved;
    const Result<std::int64_t> now = database.number("PRAGMA freelist_count");
    if (!now) return fail(now.error());
    if (*now >= left) break;
    left = *now;
    if (!watch.go_on(static_cast<double>(all - left), static_cast<double>(all))) {
      return engine::cancelled();
    }
    if (slice % kSlicesPerCheckpoint == 0) {
      if (auto copied = checkpoint(database, SQLITE_CHECKPOINT_PASSIVE); !copied) {
        return fail(copied.error());
      }
    }
    watch.rest();
  }
  return {};
}

}  // namespace

Result<> vacuum_store(const std::string& file, const std::string& vfs, engine::CareWatch& watch) {
  Result<Database> database = open_beside(file, vfs);
  if (!database) return fail(database.error());
  const Result<std::int64_t> free = free_pages(*database);
  if (!free) return fail(free.error());
  const auto all = static_cast<double>(*free);
  if (!watch.go_on(0, all)) return engine::cancelled();
  if (Result<> given = give_back(*database, *free, watch); !given) return given;
  if (auto emptied = empty_log(*database); !emptied) return fail(emptied.error());
  static_cast<void>(watch.go_on(all, all));
  return {};
}

Result<> checkpoint_store(const std::string& file, const std::string& vfs,
                          engine::CareWatch& watch) {
  Result<Database> database = open_beside(file, vfs);
  if (!database) return fail(database.error());
  if (!watch.go_on(0, 0)) return engine::cancelled();
  const Result<Log> log = empty_log(*database);
  if (!log) return fail(log.error());
  static_cast<void>(watch.go_on(log->copied, log->pages));
  return {};
}

}  // namespace docket::store
