#include "store/sqlite/verify.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>

#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/database.h"

namespace docket::store {
namespace {

constexpr std::size_t kDamageShown = 10;
constexpr int kPagesAtOnce = 256;
// A page may be read while a checkpoint writes it, half old and half new; soon it is whole.
constexpr int kReadings = 1000;
// Steps of SQLite's virtual machine between two looks at whether to go on.
constexpr int kStepsAtOnce = 50'000;

class Verification {
 public:
  Verification(Database& database, engine::CareWatch& watch)
      : database_(database), handle_(database.handle()), watch_(watch) {}
  ~Verification() { sqlite3_progress_handler(handle_, 0, nullptr, nullptr); }
  Verification(const Verification&) = delete;
  Verification& operator=(const Verification&) = delete;

  Result<> compare_pages();
  Result<> compare_structure(const std::vector<std::string>& tables);

 private:
  int read_page(sqlite3_int64 index);
  Result<> damaged_pages() const;
  Result<> ask_sqlite(const std::string& pragma);
  bool go_on(sqlite3_int64 pages) {
    return wanted_ = watch_.go_on(bytes(pages), bytes(2 * pages_));
  }
  static double bytes(sqlite3_int64 pages) { return static_cast<double>(pages) * kPageBytes; }
  sqlite3_int64 pages_read() const;
  static int on_steps(void* self);

  Database& database_;
  sqlite3* handle_;
  engine::CareWatch& watch_;
  sqlite3_file* file_ = nullptr;
  sqlite3_int64 pages_ = 0;
  std::vector<sqlite3_int64> damaged_;
  bool wanted_ = true;
};

// The connection's own handle on the file: closing another one would drop the locks that SQLite has
// on it (fcntl), and go past the checksums.
Result<> Verification::compare_pages() {
  int code =
      sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file_));
  sqlite3_int64 size = 0;
  if (code == SQLITE_OK) code = file_->pMethods->xFileSize(file_, &size);
  if (code != SQLITE_OK) return fail(error_of(handle_, code, "verify"));
  pages_ = size / kPageBytes;
  for (sqlite3_int64 page = 0; page < pages_; ++page) {
    if (page % kPagesAtOnce == 0 && !go_on(page)) return engine::cancelled();
    code = read_page(page);
    if (code == SQLITE_IOERR_SHORT_READ) break;  // the file was made shorter meanwhile
    if (code == SQLITE_IOERR_DATA) damaged_.push_back(page + 1);
    if (code != SQLITE_OK && code != SQLITE_IOERR_DATA) {
      return fail(error_of(nullptr, code, "page " + std::to_string(page + 1)));
    }
  }
  return damaged_.empty() ? Result<>{} : damaged_pages();
}

int Verification::read_page(sqlite3_int64 index) {
  std::array<unsigned char, kPageBytes> page;
  int code = SQLITE_IOERR_DATA;
  for (int reading = 0; reading < kReadings && code == SQLITE_IOERR_DATA; ++reading) {
    code = file_->pMethods->xRead(file_, page.data(), kPageBytes, index * kPageBytes);
  }
  return code;
}

Result<> Verification::damaged_pages() const {
  std::string list;
  for (std::size_t at = 0; at < std::min(damaged_.size(), kDamageShown); ++at) {
    list += (at == 0 ? "" : ", ") + std::to_string(damaged_[at]);
  }
  if (damaged_.size() > kDamageShown) list += ", ...";
  return fail(ErrorKind::kInternal, "The store is damaged: " + std::to_string(damaged_.size()) +
                                        " of " + std::to_string(pages_) +
                                        " pages do not match their checksums (" + list + ")");
}

Result<> Verification::compare_structure(const std::vector<std::string>& tables) {
  sqlite3_progress_handler(handle_, kStepsAtOnce, on_steps, this);
  if (!go_on(pages_)) return engine::cancelled();
  if (tables.empty()) {
    if (Result<> sound = ask_sqlite("PRAGMA integrity_check(10)"); !sound) return sound;
  }
  for (const std::string& table : tables) {
    Result<> sound = ask_sqlite("PRAGMA integrity_check(" + table + ")");
    if (!sound) return sound;
    if (!go_on(pages_ + pages_read())) return engine::cancelled();
  }
  static_cast<void>(go_on(2 * pages_));
  return {};
}

Result<> Verification::ask_sqlite(const std::string& pragma) {
  Statement check(database_, pragma);
  const Result<bool> row = check.step();
  if (!wanted_) return engine::cancelled();
  if (!row) return fail(row.error());
  if (check.text(0) == "ok") return {};
  return fail(ErrorKind::kInternal, "The store is damaged: " + std::string(check.text(0)));
}

// Rows are looked up in their indexes, so that pages may be read more than once.
sqlite3_int64 Verification::pages_read() const {
  int read = 0;
  int highest = 0;
  sqlite3_db_status(handle_, SQLITE_DBSTATUS_CACHE_MISS, &read, &highest, 0);
  return std::min<sqlite3_int64>(read, pages_);
}

int Verification::on_steps(void* self) {
  auto* verification = static_cast<Verification*>(self);
  return verification->go_on(verification->pages_ + verification->pages_read()) ? 0 : 1;
}

}  // namespace

Result<> verify_store(const std::string& file, const std::string& vfs,
                      const std::vector<std::string>& tables, engine::CareWatch& watch) {
  Result<Database> database = Database::open(file, Access::kReadOnly, vfs);
  if (!database) return fail(database.error());
  Verification verification(*database, watch);
  if (Result<> sound = verification.compare_pages(); !sound) return sound;
  return verification.compare_structure(tables);
}

}  // namespace docket::store
