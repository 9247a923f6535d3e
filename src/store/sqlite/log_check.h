#pragma once

// Tells a damaged write-ahead log from one that merely ends in the middle of a transaction.
//
// After a crash SQLite reads the log up to the first frame whose checksum is wrong and takes that
// for its end: right when the last transaction was cut off, but a bit flipped further up would
// silently undo transactions that were acknowledged. Every transaction is synced before the next
// one is written. So when the log goes on after the transaction that holds the wrong frame, that
// transaction was whole once, and the log is damaged.
//
// Damage in the last transaction or two of a log cannot be told from a transaction that was cut
// off. The format: https://www.sqlite.org/fileformat.html#the_write_ahead_log

#include <string>

#include "core/result.h"

namespace docket::store {

// Before anything else opens the database. Fine when there is no log; kInternal when it is damaged.
Result<> check_log(const std::string& file);

}  // namespace docket::store
