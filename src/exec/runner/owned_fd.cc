#include "exec/runner/owned_fd.h"

namespace docket::runner {

std::string read_small_file(int dir_fd, const char* path, std::size_t limit) {
  OwnedFd fd(::openat(dir_fd, path, O_RDONLY | O_CLOEXEC));
  std::string text;
  char buffer[4096];
  while (fd && text.size() < limit) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

}  // namespace docket::runner
