#pragma once

// A SQLite file system that puts a checksum into the last 8 bytes of every page of the database
// file when the page is written, and compares it whenever the page is read: a flipped bit is an
// error (SQLITE_IOERR_DATA), not an answer.
//
// SQLite leaves these bytes alone because the file's header says so (reserved bytes, set when the
// store is made). The write-ahead log is not touched: its frames have checksums of SQLite's own.
// The sqlite3 program reads such files as any other; a page that it writes has no checksum, and
// the store refuses it.

#include <string>

namespace docket::store {

inline constexpr int kPageBytes = 4096;
inline constexpr int kReservedBytes = 8;

// Registers, once in a program, such a file system on top of `base` (empty: SQLite's default).
// Returns its name; empty when there is no such base. Any thread.
std::string checksum_vfs(const std::string& base);

}  // namespace docket::store
