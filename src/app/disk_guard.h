#pragma once

// The loop's view of the disk: the store's reserve, and when there is room again.

#include "engine/loop.h"
#include "store/sqlite/disk_reserve.h"

namespace docket::app {

class DiskGuard : public engine::Loop::Reserve {
 public:
  DiskGuard(std::string directory, std::uint64_t reserve_bytes)
      : reserve_(std::move(directory), reserve_bytes) {}

  bool release() override { return reserve_.release(); }
  // A reserve that was given back is made again first: what it takes is not room.
  bool has_room() override { return reserve_.restore() || reserve_.free_bytes() >= kRoomBytes; }

 private:
  static constexpr std::uint64_t kRoomBytes = 2 * store::DiskReserve::kChunkBytes;
  store::DiskReserve reserve_;
};

}  // namespace docket::app
