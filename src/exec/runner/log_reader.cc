#include "exec/runner/log_reader.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

// Only a punched head makes holes: writers append. A file system without SEEK_DATA calls everything
// data.
std::uint64_t first_data(int fd, std::uint64_t size) {
  if (size == 0) return 0;
  const off_t found = ::lseek(fd, 0, SEEK_DATA);
  if (found >= 0) return static_cast<std::uint64_t>(found);
  return errno == ENXIO ? size : 0;
}

Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t count) {
  std::string data(count, '\0');
  std::size_t filled = 0;
  while (filled < count) {
    const ssize_t n =
        ::pread(fd, data.data() + filled, count - filled, static_cast<off_t>(offset + filled));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot read the log", errno);
    if (n == 0) break;
    filled += static_cast<std::size_t>(n);
  }
  data.resize(filled);
  return data;
}

}  // namespace

Result<LogChunk> read_log(const std::filesystem::path& path, std::uint64_t offset,
                          std::size_t max) {
  OwnedFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENOENT) return fail(ErrorKind::kNotFound, "no such log");
  if (!fd) return fail_errno(fmt::format("cannot open {}", path.string()), errno);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return fail_errno("cannot stat the log", errno);
  LogChunk chunk;
  chunk.size = static_cast<std::uint64_t>(info.st_size);
  chunk.first_available = first_data(fd.get(), chunk.size);
  chunk.offset = std::max(offset, chunk.first_available);
  if (chunk.offset >= chunk.size) return chunk;
  const auto count = std::min<std::uint64_t>(max, chunk.size - chunk.offset);
  auto data = read_at(fd.get(), chunk.offset, static_cast<std::size_t>(count));
  if (!data) return fail(std::move(data.error()));
  chunk.data = std::move(*data);
  return chunk;
}

}  // namespace docket::runner
