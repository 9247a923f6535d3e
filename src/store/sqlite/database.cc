#include "store/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>

namespace docket::store {
namespace {

bool is_out_of_space(sqlite3* handle, int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return false;
  const int primary = code & 0xff;
  if (primary == SQLITE_FULL || code == SQLITE_IOERR_SHMSIZE) return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
  const int system = sqlite3_system_errno(handle);
  return system == ENOSPC || system == EDQUOT;
}

// A file system that is read-only for now, or a directory without write permission.
bool is_not_writable(sqlite3* handle, int code) {
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return false;
  const int primary = code & 0xff;
  if (primary == SQLITE_READONLY) return true;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return false;
  const int system = sqlite3_system_errno(handle);
  return system == EROFS || system == EACCES || system == EPERM || system == ENOENT;
}

ErrorKind kind_of(sqlite3* handle, int code) {
  if (is_out_of_space(handle, code)) return ErrorKind::kExhausted;
  if (is_not_writable(handle, code)) return ErrorKind::kDenied;
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorKind::kExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISUSE:
      return ErrorKind::kInternal;
    default:
      return ErrorKind::kUnavailable;
  }
}

}  // namespace

Error error_of(sqlite3* handle, int code, std::string_view doing) {
  std::string message(doing);
  message.append(": ").append(sqlite3_errstr(code));
  const char* detail = handle ? sqlite3_errmsg(handle) : nullptr;
  if (detail && message.find(detail) == std::string::npos) {
    message.append(" (").append(detail).append(")");
  }
  if (code == SQLITE_IOERR_DATA) message.append(": a page does not match its checksum");
  message.append(" [SQLite ").append(std::to_string(code)).append("]");
  return Error{kind_of(handle, code), std::move(message)};
}

void Database::Closer::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Database> Database::open(const std::string& file, Access access, const std::string& vfs) {
  const int mode = access == Access::kReadOnly ? SQLITE_OPEN_READONLY
                                               : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(file.c_str(), &handle, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      vfs.empty() ? nullptr : vfs.c_str());
  Database database(handle);
  if (code != SQLITE_OK) return fail(error_of(handle, code, "cannot open " + file));
  sqlite3_busy_timeout(handle, 5000);  // only other programs on the same file ever make us wait
  if (access == Access::kReadOnly) database.leave_log_on_close();
  return database;
}

Result<> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(error_of(handle(), code, sql));
  return {};
}

Result<std::int64_t> Database::number(const char* sql) {
  Statement statement(*this, sql);
  const Result<bool> row = statement.step();
  if (!row) return fail(row.error());
  return *row ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle()); }

bool Database::in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

void Statement::Finalizer::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Database::leave_log_on_close() {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Statement::Statement(Database& database, std::string_view sql) : handle_(database.handle()) {
  sqlite3_stmt* statement = nullptr;
  code_ = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  statement_.reset(statement);
}

Result<> Statement::prepared() const {
  if (!statement_) return fail(error_of(handle_, code_, "the store does not have its tables"));
  return {};
}

// The first parameter after a step starts the statement anew, also when it was left half way.
int Statement::next_parameter() {
  if (parameter_ == 0) reset();
  return ++parameter_;
}

Statement& Statement::bind_integer(std::int64_t value) {
  const int code = sqlite3_bind_int64(statement_.get(), next_parameter(), value);
  if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  return *this;
}

Statement& Statement::bind_real(double value) {
  const int code = sqlite3_bind_double(statement_.get(), next_parameter(), value);
  if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  const char* data = text.data() ? text.data() : "";  // a null pointer would bind NULL
  const int code = sqlite3_bind_text64(statement_.get(), next_parameter(), data, text.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  return *this;
}

Statement& Statement::bind_null() {
  const int code = sqlite3_bind_null(statement_.get(), next_parameter());
  if (code != SQLITE_OK && code_ == SQLITE_OK) code_ = code;
  return *this;
}

Result<bool> Statement::step() {
  parameter_ = 0;
  if (code_ == SQLITE_OK) {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    code_ = code;
  }
  const char* sql =
      statement_ ? sqlite3_sql(statement_.get()) : "the store does not have its tables";
  return fail(error_of(handle_, code_, sql));
}

Result<> Statement::run() {
  Result<bool> row = step();
  while (row && *row) row = step();
  if (!row) {
    tl::unexpected<Error> error = fail(row.error());  // before reset() clears SQLite's message
    reset();
    return error;
  }
  reset();
  return {};
}

void Statement::reset() {
  if (!statement_) return;
  sqlite3_reset(statement_.get());
  code_ = SQLITE_OK;
  parameter_ = 0;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string_view Statement::text(int column) const {
  const void* data = sqlite3_column_text(statement_.get(), column);
  if (!data) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

Transaction::Transaction(Database& database, Mode mode)
    : database_(database),
      begun_(database.run(mode == Mode::kWrite ? "BEGIN IMMEDIATE" : "BEGIN")) {}

Transaction::~Transaction() {
  // A rollback that fails leaves a transaction open; the next one to begin gets the error.
  if (begun_ && database_.in_transaction()) (void)database_.run("ROLLBACK");
}

Result<> Transaction::commit() { return database_.run("COMMIT"); }

}  // namespace docket::store
