#pragma once

// A SQLite file system for tests: it is built on the real one, counts what is done, and fails on
// request: one chosen operation, everything for lack of space, or everything from some instant on,
// as in a power cut. It knows what was synced, so after a power cut it can put files back to what
// a disk would have kept. Syncs cost nothing.
//
//   FaultVfs vfs("faulty");
//   vfs.fail(Operation::kSync, 3);             // the third sync from now fails, once
//   ... SqliteStore::open({.directory = d, .vfs = "faulty"}) ...
//   vfs.cut_power_after(17);                   // operations 18 and on fail, and nothing more
//                                              // reaches the files
//   ... close ...
//   vfs.restore_power(Unsynced::kSomeOfIt, seed);

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

struct sqlite3_file;
struct sqlite3_vfs;

namespace docket::store {

enum class Operation { kOpen, kWrite, kSync, kTruncate, kDelete };
inline constexpr int kOperations = 5;

enum class Unsynced { kLost, kSomeOfIt, kKept };

class FaultVfs {
 public:
  explicit FaultVfs(const std::string& name);  // registered until destroyed; names are unique
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  void fail(Operation operation, std::uint64_t nth);  // from 1
  void cut_power_after(std::uint64_t operations);
  void restore_power(Unsynced unsynced, std::uint64_t seed);
  // While `is_full` says so, nothing can grow and no file can be made.
  void set_full(std::function<bool()> is_full) { is_full_ = std::move(is_full); }
  void heal();  // no more faults; counts from 0

  std::uint64_t count(Operation operation) const;
  std::uint64_t count() const;  // of all
  bool has_failed() const { return has_failed_; }

  sqlite3_vfs* base() const { return base_; }
  // Called by the wrapped files. A code other than 0 is the fault to report.
  int before(Operation operation);
  bool is_full() const { return is_full_ && is_full_(); }
  void wrote(const std::string& path, std::int64_t offset, const void* data, std::size_t size);
  void truncated(const std::string& path, std::int64_t size);
  void synced(const std::string& path);
  void opened(const std::string& path);
  void deleted(const std::string& path);

 private:
  struct Change {
    std::int64_t offset;
    std::string data;
    bool is_truncation;
  };
  struct Content {
    std::string synced;
    std::vector<Change> since;
  };
  static void apply(std::string& content, const Change& change);

  std::string name_;
  sqlite3_vfs* base_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::map<std::string, Content> files_;
  std::uint64_t counts_[kOperations] = {};
  std::uint64_t fail_at_[kOperations] = {};  // 0: never
  std::uint64_t power_ = UINT64_MAX;         // operations until it is cut
  std::function<bool()> is_full_;
  bool has_failed_ = false;
};

}  // namespace docket::store
