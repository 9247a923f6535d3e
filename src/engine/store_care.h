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

// Looks on. Called often: it is cheap, and reports at a rate of its own.
class CareWatch {
 public:
  virtual ~CareWatch() = default;
  // How far the work is. False: stop as soon as what is half done is tidied up.
  virtual bool go_on(double completed, double total) = 0;
  // Blocks for a moment in which others have the store to themselves.
  virtual void rest() = 0;
};

class StoreCare {
 public:
  virtual ~StoreCare() = default;

  // A consistent copy of the store in a new file, which appears complete and synced or not at all.
  // Progress in bytes. kConflict: the file exists.
  virtual Result<> backup(const std::string& file, CareWatch& watch) = 0;
  // Compares every page with its checksum, then rows with each other and with their indexes: those
  // of the record families named, or all. Progress in bytes, each counted twice. kInternal: damage,
  // and where.
  virtual Result<> verify(const std::vector<std::string>& families, CareWatch& watch) = 0;
  // Gives free pages back to the file system, as far as the store can while it is in use, and
  // empties the log. Progress in pages.
  virtual Result<> vacuum(CareWatch& watch) = 0;
  // Copies what is committed from the log into the database. Progress in pages.
  virtual Result<> checkpoint(CareWatch& watch) = 0;
  // Every record as a line of JSON in a new file, as of one instant. Progress in records.
  // kConflict: the file exists.
  virtual Result<> export_records(const std::string& file, CareWatch& watch) = 0;
  // That the store has the form of this program. Progress in schema versions.
  virtual Result<> upgrade(CareWatch& watch) = 0;
  // Trees that ended before this instant.
  virtual Result<std::uint64_t> trees_ended_before(Time instant) = 0;
};

// What a call above ends with when it was to stop.
inline tl::unexpected<Error> cancelled() {
  return fail(ErrorKind::kCancelled, "Asked to stop before it had ended");
}

}  // namespace docket::engine
