#pragma once

// Where the files of an attempt are. The runner writes them; the API reads stdout and stderr while
// the attempt runs and after; retention removes the whole directory. Pure functions of (runner
// directory, token): any thread.
//
//   DIR/attempts/<token / 1000>/
//       <token>.record    made first: its existence says that the token was started; holds what
//                         the runner knows of it (attempt_record.h)
//       <token>.stdout    opened O_APPEND and handed to the command; so is <token>.stderr
//       <token>/          the private working directory, owned by the attempt's user
//
// The four have no common directory of their own: making one costs as much as three files.
//
// Output files keep their newest part only: the runner punches a hole into the head of a file that
// grows past the limit, so byte offsets never change for a follower. Read them with log_reader.h,
// which skips the hole.

#include <filesystem>

#include "core/ids.h"
#include "core/result.h"

namespace docket::runner {

std::filesystem::path shard_path(const std::filesystem::path& dir, TaskId token);
std::filesystem::path record_path(const std::filesystem::path& dir, TaskId token);
std::filesystem::path stdout_path(const std::filesystem::path& dir, TaskId token);
std::filesystem::path stderr_path(const std::filesystem::path& dir, TaskId token);
std::filesystem::path work_path(const std::filesystem::path& dir, TaskId token);
std::filesystem::path socket_path(const std::filesystem::path& dir);

// For retention, after forget(): removes everything of an attempt that has ended, the record last.
// Missing files are no error.
Result<> remove_attempt_files(const std::filesystem::path& dir, TaskId token);

}  // namespace docket::runner
