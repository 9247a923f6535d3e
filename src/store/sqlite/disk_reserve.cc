#include "store/sqlite/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace docket::store {

DiskReserve::DiskReserve(std::string directory, std::uint64_t reserve_bytes)
    : directory_(std::move(directory)), chunks_(reserve_bytes / kChunkBytes) {}

std::string DiskReserve::chunk_file(std::uint64_t index) const {
  return directory_ + "/ballast." + std::to_string(index);
}

bool DiskReserve::release() {
  for (std::uint64_t index = chunks_; index > 0; --index) {
    if (unlink(chunk_file(index - 1).c_str()) == 0) return true;
  }
  return false;
}

bool DiskReserve::restore() {
  for (std::uint64_t index = 0; index < chunks_; ++index) {
    if (access(chunk_file(index).c_str(), F_OK) == 0) continue;
    if (free_bytes() < kComfortBytes + chunks_ * kChunkBytes) return false;
    if (!make_chunk(index)) return false;
  }
  return true;
}

// It has another name until it is complete, so that a crash leaves no chunk without its space.
bool DiskReserve::make_chunk(std::uint64_t index) const {
  const std::string file = chunk_file(index);
  const std::string partial = file + ".partial";
  const int descriptor = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return false;
  const bool filled = posix_fallocate(descriptor, 0, static_cast<off_t>(kChunkBytes)) == 0;
  close(descriptor);
  if (filled && rename(partial.c_str(), file.c_str()) == 0) return true;
  unlink(partial.c_str());
  return false;
}

std::uint64_t DiskReserve::free_bytes() const {
  struct statvfs status{};
  if (statvfs(directory_.c_str(), &status) != 0) return 0;
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::uint64_t DiskReserve::held_bytes() const {
  std::uint64_t held = 0;
  for (std::uint64_t index = 0; index < chunks_; ++index) {
    struct stat status{};
    if (stat(chunk_file(index).c_str(), &status) == 0) {
      held += static_cast<std::uint64_t>(status.st_size);
    }
  }
  return held;
}

}  // namespace docket::store
