#include "store/sqlite/anchor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace docket::store {

Result<Anchor> Anchor::drop(const std::string& file) {
  Anchor anchor(file, ::open(file.c_str(), O_PATH | O_CLOEXEC));
  struct stat held{};
  if (anchor.descriptor_ >= 0 && ::fstat(anchor.descriptor_, &held) == 0) {
    anchor.device_ = held.st_dev;
    anchor.inode_ = held.st_ino;
    return anchor;
  }
  return fail(ErrorKind::kUnavailable,
              "cannot open " + file + ": " + std::generic_category().message(errno));
}

Anchor::Anchor(Anchor&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      device_(other.device_),
      inode_(other.inode_) {}

Anchor::~Anchor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Anchor::Place Anchor::look() const {
  struct stat file{};
  const bool found = ::stat(file_.c_str(), &file) == 0;
  if (found && file.st_dev == device_ && file.st_ino == inode_) return Place::kThere;
  const bool gone = ::fstat(descriptor_, &file) != 0 || file.st_nlink == 0;
  return gone ? Place::kGone : Place::kElsewhere;
}

Result<> check_place(const Anchor& anchor) {
  switch (anchor.look()) {
    case Anchor::Place::kThere:
      return {};
    case Anchor::Place::kElsewhere:
      return fail(ErrorKind::kDenied, anchor.file() +
                                          " is not there any more: its directory was moved, or its "
                                          "disk unmounted");
    case Anchor::Place::kGone:
      break;
  }
  return fail(ErrorKind::kUnavailable, anchor.file() + " was deleted while the server had it open");
}

}  // namespace docket::store
