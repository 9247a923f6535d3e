#pragma once

// The directory of an attempt, as the runner makes and fills it (layout: log_files.h). Runner
// thread only.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "engine/executor.h"
#include "exec/runner/launch.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/users.h"

namespace docket::runner {

// Open until the command runs; afterwards only the record stays open.
struct Sandbox {
  OwnedFd work;
  OwnedFd out;
  OwnedFd err;
  OwnedFd record;  // O_APPEND
};

class SandboxRoot {
 public:
  explicit SandboxRoot(std::filesystem::path dir);

  // Makes the record file of a token, which marks it as started; it appears with these lines in
  // it. No descriptor: it exists, the token was started before. The first lines take a block of
  // the disk that has room for the others, so that an attempt with a claim can be recorded on a
  // full disk.
  Result<OwnedFd> claim(TaskId token, std::string_view lines);
  // Makes what is missing of a claimed token and gives it to the owner.
  Result<> open(TaskId token, const User& owner, Sandbox& sandbox);
  bool has_record(TaskId token) const;
  // The record file's text; nullopt when the token has none.
  std::optional<std::string> read_record(TaskId token) const;
  // The record file, for more lines; made when missing.
  OwnedFd append_record(TaskId token) const;

  const std::filesystem::path& dir() const { return dir_; }

 private:
  Result<> use_shard(TaskId token);

  std::filesystem::path dir_;
  std::filesystem::path shard_path_;  // used last; most tokens come in order
  OwnedFd shard_;
};

// Writes all of the lines or none of them: half a line would be read together with the next. False,
// with errno, when it cannot.
bool append_lines(const OwnedFd& record, std::string_view lines);

// Writes a secret below work, 0400 and the owner's, making folders on the way; never through a
// symbolic link, since work holds what artifacts brought.
Result<> write_secret(int work_fd, const SecretFile& file, const User& owner);
void remove_secrets(int work_fd, const std::vector<std::string>& paths);

}  // namespace docket::runner
