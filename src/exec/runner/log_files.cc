#include "exec/runner/log_files.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

namespace docket::runner {
namespace {

// Bounds the entries of one directory, so that a million kept attempts stay quick to look up.
constexpr std::uint64_t kAttemptsPerShard = 1000;

}  // namespace

std::filesystem::path shard_path(const std::filesystem::path& dir, TaskId token) {
  return dir / fmt::format("attempts/{}", token.value / kAttemptsPerShard);
}

std::filesystem::path record_path(const std::filesystem::path& dir, TaskId token) {
  return shard_path(dir, token) / fmt::format("{}.record", token.value);
}

std::filesystem::path stdout_path(const std::filesystem::path& dir, TaskId token) {
  return shard_path(dir, token) / fmt::format("{}.stdout", token.value);
}

std::filesystem::path stderr_path(const std::filesystem::path& dir, TaskId token) {
  return shard_path(dir, token) / fmt::format("{}.stderr", token.value);
}

std::filesystem::path work_path(const std::filesystem::path& dir, TaskId token) {
  return shard_path(dir, token) / fmt::format("{}", token.value);
}

std::filesystem::path socket_path(const std::filesystem::path& dir) { return dir / "runner.sock"; }

Result<> remove_attempt_files(const std::filesystem::path& dir, TaskId token) {
  for (const auto& path : {work_path(dir, token), stdout_path(dir, token), stderr_path(dir, token),
                           record_path(dir, token)}) {
    // Most working directories are empty; a recursive removal opens and reads them first.
    if (::remove(path.c_str()) == 0 || errno == ENOENT) continue;
    std::error_code error;
    std::filesystem::remove_all(path, error);
    if (error) {
      return fail(ErrorKind::kInternal,
                  fmt::format("cannot remove {}: {}", path.string(), error.message()));
    }
  }
  return {};
}

}  // namespace docket::runner
