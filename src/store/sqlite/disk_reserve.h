#pragma once

// Space set aside for the day the disk is full: files of 1 MiB beside the database, made while
// there is plenty. On a full disk, giving one back lets stops and the ends of running work be
// written while new work is refused.
//
//   DiskReserve reserve(directory, 8 << 20);
//   reserve.restore();                     // at start, and now and then
//   if (commit is kExhausted) reserve.release() && commit again
//
// Thread: one at a time.

#include <cstdint>
#include <string>

namespace docket::store {

class DiskReserve {
 public:
  // Touches nothing yet. reserve_bytes is rounded down to whole chunks; 0 makes a reserve that is
  // always empty.
  DiskReserve(std::string directory, std::uint64_t reserve_bytes);

  // Deletes a chunk; false when none was left.
  bool release();
  // Makes missing chunks again, as long as enough space stays free: as much as the whole reserve,
  // plus kComfortBytes. True when the reserve is whole.
  bool restore();

  std::uint64_t free_bytes() const;  // of the file system, for this user; 0 when it is not known
  std::uint64_t held_bytes() const;

  static constexpr std::uint64_t kChunkBytes = 1 << 20;
  static constexpr std::uint64_t kComfortBytes = 4 << 20;

 private:
  std::string chunk_file(std::uint64_t index) const;
  bool make_chunk(std::uint64_t index) const;

  std::string directory_;
  std::uint64_t chunks_;
};

}  // namespace docket::store
