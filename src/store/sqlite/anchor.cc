#include "store/sqlite/anchor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace docket::store {
namespace {

// Not stat(): asking for the times of a file makes its next write record a new one, and the sync
// after that wait for the file system's journal.
std::optional<struct statx> look_at(int folder, const char* name, int flags) {
  struct statx file{};
  if (::statx(folder, name, flags, STATX_INO | STATX_NLINK, &file) != 0) return std::nullopt;
  return file;
}

std::uint64_t device_of(const struct statx& file) {
  return (std::uint64_t{file.stx_dev_major} << 32U) | file.stx_dev_minor;
}

}  // namespace

Result<Anchor> Anchor::drop(const std::string& file) {
  Anchor anchor(file, ::open(file.c_str(), O_PATH | O_CLOEXEC));
  if (const auto held = look_at(anchor.descriptor_, "", AT_EMPTY_PATH)) {
    anchor.device_ = device_of(*held);
    anchor.inode_ = held->stx_ino;
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
  const auto named = look_at(AT_FDCWD, file_.c_str(), 0);
  if (named && device_of(*named) == device_ && named->stx_ino == inode_) return Place::kThere;
  const auto held = look_at(descriptor_, "", AT_EMPTY_PATH);
  return !held || held->stx_nlink == 0 ? Place::kGone : Place::kElsewhere;
}

Result<> check_place(const Anchor& anchor) {
  switch (anchor.look()) {
    case Anchor::Place::kThere:
      return {};
    case Anchor::Place::kElsewhere:
      return fail(ErrorKind::kDenied, anchor.file() +
                                          " is no longer there: its directory was moved, or its "
                                          "disk unmounted");
    case Anchor::Place::kGone:
      break;
  }
  return fail(ErrorKind::kUnavailable, anchor.file() + " was deleted while the server had it open");
}

}  // namespace docket::store
