#pragma once

// The port to long work on the store's files: copies, checks, giving back room. Implemented by
// store/sqlite; fakes stand in for it in tests.
//
// Thread rule: calls block, from one thread at a time, which is neither the strand nor the
// writer's. Commits and reads go on meanwhile.

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace docket::engine {

// Watches the work. Called often, so it must be cheap; it limits the rate of its own reports.
class CareWatch {
 public:
  virtual ~CareWatch() = default;
  // How far the work is. False: stop as soon as unfinished work is cleaned up.
  virtual bool go_on(double completed, double total) = 0;
  // Blocks for a moment, to leave the store to others.
  virtual void rest() = 0;
};

class StoreCare {
 public:
  virtual ~StoreCare() = default;

  // A consistent copy of the store in a new file, which appears complete and synced or not at all.
  // Progress in bytes. kConflict: the file exists.
  virtual Result<> backup(const std::string& file, CareWatch& watch) = 0;
  // Compares every page with its checksum, then rows with each other and with their indexes: those
  // of the named record families, or all. Progress in bytes, each counted twice. kInternal: there
  // is damage; the message says where.
  virtual Result<> verify(const std::vector<std::string>& families, CareWatch& watch) = 0;
  // Gives free pages back to the file system, as far as the store can while it is in use, and
  // empties the log. Progress in pages.
  virtual Result<> vacuum(CareWatch& watch) = 0;
  // Copies what is committed from the log into the database. Progress in pages.
  virtual Result<> checkpoint(CareWatch& watch) = 0;
  // Every record as a line of JSON in a new file, as of one instant. Progress in records.
  // kConflict: the file exists.
  virtual Result<> export_records(const std::string& file, CareWatch& watch) = 0;
  // Checks that the store has this program's schema. Progress in schema versions.
  virtual Result<> upgrade(CareWatch& watch) = 0;
  // The number of trees that ended before this instant.
  virtual Result<std::uint64_t> trees_ended_before(Time instant) = 0;
};

// The error of a call above that was asked to stop.
inline tl::unexpected<Error> cancelled() {
  return fail(ErrorKind::kCancelled, "Asked to stop before it had ended");
}

}  // namespace docket::engine
