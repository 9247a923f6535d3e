#include "store/sqlite/anchor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace docket::store {

Result<Anchor> Anchor::drop(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_PATH | O_CLOEXEC);
  if (descriptor >= 0) return Anchor(file, descriptor);
  return fail(ErrorKind::kUnavailable,
              "cannot open " + file + ": " + std::generic_category().message(errno));
}

Anchor::Anchor(Anchor&& other) noexcept
    : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

Anchor::~Anchor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Anchor::Place Anchor::look() const {
  struct stat ours{};
  struct stat named{};
  if (::fstat(descriptor_, &ours) != 0 || ours.st_nlink == 0) return Place::kGone;
  const bool found = ::stat(file_.c_str(), &named) == 0;
  const bool same = found && named.st_dev == ours.st_dev && named.st_ino == ours.st_ino;
  return same ? Place::kThere : Place::kElsewhere;
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
