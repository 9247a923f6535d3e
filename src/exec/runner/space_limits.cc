#include "exec/runner/space_limits.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kStatBlock = 512;  // unit of st_blocks
constexpr std::uint64_t kPunchAlign =
    4096;  // holes are whole blocks; a part would leave zeros to be read

std::uint64_t size_on_disk(const fs::path& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
}

}  // namespace

bool trim_log(const std::filesystem::path& file, std::uint64_t keep_bytes) {
  struct stat info{};
  if (::lstat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return true;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const auto on_disk = static_cast<std::uint64_t>(info.st_blocks) * kStatBlock;
  if (size <= keep_bytes || on_disk <= keep_bytes) return true;
  const std::uint64_t head = (size - keep_bytes) / kPunchAlign * kPunchAlign;
  OwnedFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd || head == 0) return true;
  if (::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                  static_cast<off_t>(head)) == 0) {
    return true;
  }
  (void)!::ftruncate(fd.get(), 0);
  return false;
}

std::uint64_t disk_usage(const std::vector<fs::path>& paths, std::size_t max_entries) {
  std::uint64_t bytes = 0;
  for (const fs::path& path : paths) {
    bytes += size_on_disk(path);
    std::error_code error;
    fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error);
    for (; !error && at != fs::recursive_directory_iterator() && max_entries > 0; --max_entries) {
      bytes += size_on_disk(at->path());
      at.increment(error);
    }
  }
  return bytes;
}

}  // namespace docket::runner
