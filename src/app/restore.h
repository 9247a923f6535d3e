#pragma once

// `docket restore`: puts a backup in the place of a store, while no server has it open.
//
// The idea: the file is copied beside the store, into DIR/restore.partial, and there gets the looks
// that a store gets: header, checksums, structure, migrations. Then its own restore is written into
// it, as a finished task of the module maintenance, so that a tree that shows the backup shows what
// became of it. Last, one call of the file system puts it in the store's place. Killed at any
// instant, the directory has the old store or the new one; the next restore sweeps up.
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
  std::string data_dir;  // the server's; made if missing. Of another user: root writes as that one
  bool replace = false;  // a store that is there is set aside instead of refused
};

struct Restored {
  std::uint64_t bytes = 0;
  TaskId task;          // of the restore, in the store
  std::string aside;    // where the old store is now; empty: there was none
  std::string warning;  // what a start will complain of; may be empty
};

// kConflict: a server has the store open, or there is one and it is not to be replaced. kNotFound:
// no such file. kInvalid: it is not docket's, or of a newer docket. kInternal: it is damaged.
Result<Restored> restore_store(const RestoreOrder& order, Clock& clock);

}  // namespace docket::app
