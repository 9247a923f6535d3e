#include "exec/runner/log_files.h"

#include <fmt/format.h>

#include <string>
#include <system_error>

namespace docket::runner {
namespace {

// Bounds the entries of one directory, so that a million kept attempts stay quick to look up.
constexpr std::uint64_t kAttemptsPerShard = 1000;

}  // namespace

std::filesystem::path attempt_path(const std::filesystem::path& dir, TaskId token) {
  return dir / fmt::format("attempts/{}/{}", token.value / kAttemptsPerShard, token.value);
}

std::filesystem::path record_path(const std::filesystem::path& dir, TaskId token) {
  return attempt_path(dir, token) / "record";
}

std::filesystem::path stdout_path(const std::filesystem::path& dir, TaskId token) {
  return attempt_path(dir, token) / "stdout";
}

std::filesystem::path stderr_path(const std::filesystem::path& dir, TaskId token) {
  return attempt_path(dir, token) / "stderr";
}

std::filesystem::path work_path(const std::filesystem::path& dir, TaskId token) {
  return attempt_path(dir, token) / "work";
}

std::filesystem::path socket_path(const std::filesystem::path& dir) { return dir / "runner.sock"; }

Result<> remove_attempt_files(const std::filesystem::path& dir, TaskId token) {
  std::error_code error;
  const std::filesystem::path path = attempt_path(dir, token);
  std::filesystem::remove_all(path, error);
  if (error) {
    return fail(ErrorKind::kInternal,
                fmt::format("can not remove {}: {}", path.string(), error.message()));
  }
  // The shard goes with its last attempt; while others are in it this fails, as it should.
  std::filesystem::remove(path.parent_path(), error);
  return {};
}

}  // namespace docket::runner
