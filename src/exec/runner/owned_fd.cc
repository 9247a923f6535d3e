#include "exec/runner/owned_fd.h"

namespace docket::runner {

std::string read_whole(int fd, std::size_t limit) {
  std::string text;
  char buffer[4096];
  while (text.size() < limit) {
    const ssize_t n = ::pread(fd, buffer, sizeof buffer, static_cast<off_t>(text.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

std::string read_small_file(int dir_fd, const char* path, std::size_t limit) {
  const OwnedFd fd(::openat(dir_fd, path, O_RDONLY | O_CLOEXEC));
  return fd ? read_whole(fd.get(), limit) : std::string();
}

}  // namespace docket::runner
