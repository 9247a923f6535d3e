#pragma once

// `docket restore`: replaces a store by a backup, while no server has it open.
//
// The file is copied beside the store, into DIR/restore.partial, and checked there like any store:
// header, checksums, structure, migrations. Then the restore itself is recorded in it as a finished
// task of the module maintenance, so that a tree that shows the backup also shows how it ended.
// Finally, one system call puts it in the store's place. If killed at any instant, the directory
// has the old store or the new one; the next restore cleans up.
//
// Blocks. Tested by tests/e2e/test_restore.py.

#include <cstdint>
#include <string>

#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"

namespace docket::app {

struct RestoreOrder {
  std::string file;      // the backup; read only
  std::string data_dir;  // the server's; made if missing. Another user's: root acts as that user
  bool replace = false;  // an existing store is set aside instead of refused
};

struct Restored {
  std::uint64_t bytes = 0;
  TaskId task;          // of the restore, in the store
  std::string aside;    // where the old store is now; empty: none
  std::string warning;  // what a server will complain about at its start; may be empty
};

// kConflict: a server has the store open, or a store exists and is not to be replaced. kNotFound:
// no such file. kInvalid: not a docket store, or one of a newer version. kInternal: the file is
// damaged.
Result<Restored> restore_store(const RestoreOrder& order, Clock& clock);

}  // namespace docket::app
