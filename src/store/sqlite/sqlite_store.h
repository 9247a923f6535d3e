#pragma once

// The store of a server: one SQLite file in WAL mode, in a directory of its own. Open it with
// sqlite3 whenever you like (read only: the pages carry checksums that sqlite3 does not write);
// start with the views `run` and `attempt`.
//
// Durability: commit() is one transaction with one fdatasync of the write-ahead log (synchronous =
// FULL). After a failed sync it is not known what is on disk, so nothing is acknowledged any more
// until the store is opened anew; a transaction that was not acknowledged may then turn out to be
// there, or not, but always whole.
//
// Damage: every page read from the database is compared with its checksum, numbers are checked
// against their enumerations, and the log is checked when the store is opened; a flipped bit is
// then an error with a clear message. Not found: damage in the last transaction or two of a log
// that a crash left (it looks like a transaction cut off), and pages that are never read, until
// verify() is called.
//
// Threads: open(), load(), commit() and verify() from one thread at a time; backup() and
// open_reader() from any.

#include <cstdint>
#include <memory>
#include <string>

#include "engine/store.h"
#include "store/sqlite/disk_reserve.h"

namespace docket::store {

enum class Checkpoints {
  kInBackground,  // by a thread of the store, so that commits need not wait for the copying of
                  // pages
  kInCommits,     // by commit() itself: for tests that count every write
};

struct SqliteOptions {
  std::string directory;  // made if missing; holds docket.db, its -wal and -shm, docket.lock
  std::uint32_t writer_cache_kib = 32 * 1024;  // at most; grows with use
  std::uint32_t reader_cache_kib = 16 * 1024;  // of each reader
  std::uint32_t checkpoint_pages =
      4096;  // of 4 KiB in the log; it may grow to a few times this under load
  Checkpoints checkpoints = Checkpoints::kInBackground;
  // Set: opening on a full disk gives back chunks of it until there is room to open. Not owned;
  // used in open() only.
  DiskReserve* reserve = nullptr;
  // What definitions are read with; outlives the store. Null: specs are kept as text.
  const model::SpecReader* specs = nullptr;
  std::string vfs;  // name of a SQLite file system to build on; empty: the real one
};

class SqliteStore : public engine::Store {
 public:
  // kInvalid: not ours, or made by a newer docket. kConflict: another server has it open.
  // kInternal: damaged.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);
  ~SqliteStore() override;

  Result<engine::Snapshot> load() override;
  // Transient errors: engine::is_transient().
  Result<> commit(const engine::Batch& batch) override;
  Result<std::unique_ptr<engine::Reader>> open_reader() override;
  Result<> backup(const std::string& file) override;

  // Reads every page and every row and compares tables with their indexes: minutes for a large
  // store. Does not make commits wait when called from another thread on a store of its own.
  Result<> verify();

 private:
  struct Parts;
  static Result<std::unique_ptr<SqliteStore>> open_once(const SqliteOptions& options);
  explicit SqliteStore(std::unique_ptr<Parts> parts);
  Result<> try_commit(const engine::Batch& batch);
  Result<> after_failure(Error error);
  Result<> check_places();

  std::unique_ptr<Parts> parts_;
};

}  // namespace docket::store
