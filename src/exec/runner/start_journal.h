#pragma once

// Keeps "this token was started" across a power loss, when the marker directory made a moment
// before may be gone. A ring of the last starts in one preallocated file, written in place and
// synced once for a batch of starts: 0.13 ms, where syncing the directories would take several. The
// ring outlasts the seconds after which file systems commit by themselves. Runner thread only.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "exec/runner/owned_fd.h"

namespace docket::runner {

class StartJournal {
 public:
  static Result<StartJournal> open(const std::filesystem::path& file, const std::string& boot_id);

  // On disk when this returns. A failure means the batch must not start.
  Result<> append(const std::vector<TaskId>& tokens);
  // Started on an earlier boot, as far as the ring reaches.
  bool started_before_boot(TaskId token) const;

 private:
  struct Entry {
    std::uint64_t sequence = 0;  // from 1; 0 is an unused place
    std::uint64_t token = 0;
  };
  Result<> load(const std::string& boot_id);
  Result<> write_header(const std::string& boot_id, std::uint64_t first_sequence);

  OwnedFd fd_;
  std::uint64_t next_sequence_ = 1;
  std::vector<std::uint64_t> earlier_;  // tokens of earlier boots, sorted
};

}  // namespace docket::runner
