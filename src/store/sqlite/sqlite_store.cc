#include "store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "store/sqlite/anchor.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/file_header.h"
#include "store/sqlite/loader.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/log_check.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/sqlite_reader.h"
#include "store/sqlite/writer.h"

namespace docket::store {
namespace {

Result<> make_directory(const std::string& directory) {
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail(ErrorKind::kUnavailable,
              "cannot make " + directory + ": " + std::generic_category().message(errno));
}

// SQLite would make the file readable for all; its log and index copy the mode of the file.
Result<> make_file(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(errno == ENOSPC ? ErrorKind::kExhausted : ErrorKind::kUnavailable,
                "cannot open " + file + ": " + std::generic_category().message(errno));
  }
  ::close(descriptor);
  return {};
}

Result<Database> open_writer(const std::string& file, const std::string& vfs,
                             const SqliteOptions& options) {
  Result<Database> database = Database::open(file, Access::kReadWrite, vfs);
  if (!database) return database;
  int reserved = kReservedBytes;  // counts only while the file is new
  sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);
  // The emptied log and its index stay when the store is closed: their room is kept for the next
  // open, even on a full disk. (The log is emptied only if there is some limit to its size.)
  int stays = 1;
  sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &stays);
  // A store that has these settings already would write them again, and need room for that.
  const std::string layout =
      "PRAGMA page_size = " + std::to_string(kPageBytes) + "; PRAGMA auto_vacuum = INCREMENTAL; ";
  const Result<std::int64_t> pages = database->number("PRAGMA page_count");
  if (!pages) return fail(pages.error());
  const std::string setup =
      (*pages == 0 ? layout : std::string()) +
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
      "PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 1099511627776; "
      "PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; "
      "PRAGMA cache_size = -" +
      std::to_string(options.writer_cache_kib);
  const int code = sqlite3_exec(database->handle(), setup.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(database->handle(), code, "cannot open " + file));
  return database;
}

}  // namespace

// In this order: members use those above them.
struct SqliteStore::Parts {
  std::string file;
  std::string vfs;
  std::uint32_t reader_cache_kib;
  const model::SpecReader* specs;
  LockFile lock;
  Database database;
  std::optional<Writer> writer = std::nullopt;
  std::unique_ptr<Checkpointer> checkpointer = nullptr;
  std::vector<Anchor> anchors = {};  // of the file and its log
  bool failed = false;
};

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteOptions& options) {
  Result<std::unique_ptr<SqliteStore>> store = open_once(options);
  while (!store && store.error().kind == ErrorKind::kExhausted && options.reserve &&
         options.reserve->release()) {
    store = open_once(options);
  }
  return store;
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_once(const SqliteOptions& options) {
  if (Result<> made = make_directory(options.directory); !made) return fail(made.error());
  Result<LockFile> lock = LockFile::take(options.directory + "/docket.lock");
  if (!lock) return fail(lock.error());
  const std::string file = options.directory + "/docket.db";
  const std::string vfs = checksum_vfs(options.vfs);
  if (Result<> ours = check_header(file); !ours) return fail(ours.error());
  if (Result<> sound = check_log(file); !sound) return fail(sound.error());
  if (Result<> made = make_file(file); !made) return fail(made.error());
  Result<Database> database = open_writer(file, vfs, options);
  if (!database) return fail(database.error());
  std::unique_ptr<Parts> parts(new Parts{file, vfs, options.reader_cache_kib, options.specs,
                                         std::move(*lock), std::move(*database)});
  if (Result<> ready = migrate(parts->database); !ready) {
    Error error = ready.error();
    error.message = file + ": " + error.message;
    return fail(std::move(error));
  }
  Result<Writer> writer = Writer::make(parts->database);
  if (!writer) return fail(writer.error());
  parts->writer = std::move(*writer);
  Result<std::unique_ptr<Checkpointer>> checkpointer =
      Checkpointer::start(parts->database, file, vfs, options);
  if (!checkpointer) return fail(checkpointer.error());
  parts->checkpointer = std::move(*checkpointer);
  for (const char* suffix : {"", "-wal"}) {
    Result<Anchor> anchor = Anchor::drop(file + suffix);
    if (!anchor) return fail(anchor.error());
    parts->anchors.push_back(std::move(*anchor));
  }
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

Result<engine::Snapshot> SqliteStore::load() {
  return load_snapshot(parts_->database, parts_->specs);
}

Result<> SqliteStore::commit(const engine::Batch& batch) {
  if (parts_->failed || parts_->checkpointer->failed()) {
    return fail(ErrorKind::kUnavailable, "the store failed and must be opened anew");
  }
  if (batch.empty()) return {};
  if (Result<> there = check_places(); !there) return there;
  if (Result<> committed = try_commit(batch); !committed) return after_failure(committed.error());
  parts_->checkpointer->after_commit();
  return {};
}

Result<> SqliteStore::try_commit(const engine::Batch& batch) {
  Transaction transaction(parts_->database, Transaction::Mode::kWrite);
  if (!transaction.begun()) return transaction.begun();
  if (Result<> put = parts_->writer->put(batch); !put) return put;
  return transaction.commit();
}

// What was acknowledged is in the open files, and is copied from the log into the database when
// they are closed, as ever.
Result<> SqliteStore::check_places() {
  for (const Anchor& anchor : parts_->anchors) {
    Result<> there = check_place(anchor);
    if (there) continue;
    parts_->failed = there.error().kind == ErrorKind::kUnavailable;
    return there;
  }
  return {};
}

// Only a full disk (or a file locked by another program), and a store that may not be written for
// now, may pass; and only if the transaction was really undone.
Result<> SqliteStore::after_failure(Error error) {
  parts_->writer->forget_cached();
  const bool transient = engine::is_transient(error);
  if (transient && !parts_->database.in_transaction()) return fail(std::move(error));
  parts_->failed = true;
  parts_->checkpointer->stop_for_good();
  if (transient) error.kind = ErrorKind::kUnavailable;
  return fail(std::move(error));
}

Result<std::unique_ptr<engine::Reader>> SqliteStore::open_reader() {
  Result<std::unique_ptr<SqliteReader>> reader =
      SqliteReader::open(parts_->file, parts_->vfs, parts_->reader_cache_kib, parts_->specs);
  if (!reader) {
    Error error = reader.error();
    if (error.kind == ErrorKind::kDenied)
      error.kind = ErrorKind::kUnavailable;  // not to the client
    return fail(std::move(error));
  }
  return std::move(*reader);
}

Result<> SqliteStore::backup(const std::string& file) {
  return copy_store(parts_->file, file, parts_->vfs);
}

Result<> SqliteStore::verify() {
  Statement check(parts_->database, "PRAGMA integrity_check(10)");
  Result<bool> row = check.step();
  if (!row) return fail(row.error());
  if (check.text(0) == "ok") return {};
  return fail(ErrorKind::kInternal, "the store is damaged: " + std::string(check.text(0)));
}

}  // namespace docket::store
