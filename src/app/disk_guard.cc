#include "app/disk_guard.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace docket::app {
namespace {

constexpr std::uint64_t kRoomBytes = 2 * store::DiskReserve::kChunkBytes;

}  // namespace

DiskGuard::DiskGuard(std::string directory, std::uint64_t reserve_bytes)
    : directory_(std::move(directory)), reserve_(directory_, reserve_bytes) {
  if (auto anchor = store::Anchor::drop(directory_ + "/docket.db"))
    store_.emplace(std::move(*anchor));
}

bool DiskGuard::is_gone() const { return store_ && store_->look() == store::Anchor::Place::kGone; }

// In this order: the reserve writes, and must not write below the mount point of a missing disk.
std::string DiskGuard::trouble() {
  if (store_) {
    if (const auto there = store::check_place(*store_); !there)
      return "The store cannot be written: " + there.error().message;
  }
  struct statvfs system{};
  if (::statvfs(directory_.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) != 0)
    return "The store cannot be written: the file system of " + directory_ + " is read-only";
  if (::faccessat(AT_FDCWD, directory_.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    return "The store cannot be written: " + directory_ + ": " +
           std::generic_category().message(errno);
  }
  // A released reserve is restored first: the space it takes is not free.
  const bool is_kept = reserve_.restore() && reserve_.held_bytes() > 0;
  if (is_kept || reserve_.free_bytes() >= kRoomBytes) return {};
  return "The disk is full";
}

}  // namespace docket::app
