#pragma once

// The loop's view of the disk: the store's reserve, and whether the store is still in place and
// writable.

#include <optional>
#include <string>

#include "engine/loop.h"
#include "store/sqlite/anchor.h"
#include "store/sqlite/disk_reserve.h"

namespace docket::app {

class DiskGuard : public engine::Loop::Reserve {
 public:
  // The directory of an open store.
  DiskGuard(std::string directory, std::uint64_t reserve_bytes);

  bool release() override { return reserve_.release(); }
  std::string trouble() override;
  // The store was deleted, with everything acknowledged: it will not come back.
  bool is_gone() const;

 private:
  std::string directory_;
  store::DiskReserve reserve_;
  std::optional<store::Anchor> store_;
};

}  // namespace docket::app
