#pragma once

// One connection to SQLite and its prepared statements, as values with Results. A connection and
// its statements belong to one thread at a time. SQLite's own header stays out of here.
//
//   Statement find(db, "SELECT name FROM task WHERE id = ?1");
//   find.bind(42);
//   Result<bool> row = find.step();          // true: a row is there
//   if (row && *row) use(find.text(0));
//   find.reset();

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace docket::store {

enum class Access { kReadWrite, kReadOnly };

class Database {
 public:
  // vfs: name of a registered SQLite file system, empty for the default one.
  static Result<Database> open(const std::string& file, Access access, const std::string& vfs);
  Database(Database&&) = default;
  Database& operator=(Database&&) = default;

  Result<> run(const char* sql);                 // statements without results
  Result<std::int64_t> number(const char* sql);  // the first column of the first row
  std::int64_t changes() const;                  // rows that the last statement changed
  bool in_transaction() const;
  // The last connection to close would copy the log into the database and delete it; not this one.
  void leave_log_on_close();
  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Closer {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Closer> handle_;
};

// What SQLite's result code means to us. kExhausted: no room, or the file is locked by someone
// else; nothing was changed and the call may be made again. Everything else is for good.
Error error_of(sqlite3* handle, int code, std::string_view doing);

class Statement {
 public:
  Statement() = default;
  // Fails on the first step() when the text does not compile, so that statements can be members.
  Statement(Database& database, std::string_view sql);
  Statement(Statement&&) = default;
  Statement& operator=(Statement&&) = default;

  Result<> prepared() const;  // whether it compiled

  // Each bind fills the next parameter. Texts are not copied: they must live until reset().
  template <std::integral T>
  Statement& bind(T value) {
    return bind_integer(static_cast<std::int64_t>(value));
  }
  template <std::floating_point T>
  Statement& bind(T value) {
    return bind_real(value);
  }
  Statement& bind(std::string_view text);
  Statement& bind_null();

  Result<bool> step();  // true: a row
  Result<> run();       // to the end, then reset
  void reset();

  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;  // until the next step()
  bool is_null(int column) const;

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement& bind_integer(std::int64_t value);
  Statement& bind_real(double value);
  int next_parameter();

  sqlite3* handle_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int code_ = 0;       // the first thing that went wrong since reset
  int parameter_ = 0;  // filled last
};

// Rolls back when it goes out of scope without commit().
class Transaction {
 public:
  enum class Mode { kRead, kWrite };
  Transaction(Database& database, Mode mode);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Result<> begun() const { return begun_; }
  Result<> commit();

 private:
  Database& database_;
  Result<> begun_;
};

}  // namespace docket::store
