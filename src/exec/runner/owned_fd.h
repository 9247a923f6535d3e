#pragma once

// A file descriptor with an owner, and the two calls around it that every user of one needs.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/result.h"

namespace docket::runner {

class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  ~OwnedFd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

inline std::string errno_text(int error) { return std::generic_category().message(error); }

// A state that passes: the disk is full, or a quota is used up.
inline bool is_full(int error) { return error == ENOSPC || error == EDQUOT; }

// An Error that says what was tried and why the kernel refused; kExhausted when there is no room.
inline tl::unexpected<Error> fail_errno(std::string_view doing, int error) {
  return fail(is_full(error) ? ErrorKind::kExhausted : ErrorKind::kInternal,
              std::string(doing) + ": " + errno_text(error));
}

// Reads from the start of a file, whatever its position. Empty on an error: readers of proc, sysfs
// and records treat an unreadable file like a missing one.
std::string read_whole(int fd, std::size_t limit);
std::string read_small_file(int dir_fd, const char* path, std::size_t limit = 1 << 20);

}  // namespace docket::runner
