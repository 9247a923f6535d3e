#include "store/sqlite/disk_reserve.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace docket::store {
namespace {

class DiskReserveTest : public testing::Test {
 protected:
  DiskReserveTest() {
    std::string pattern = testing::TempDir() + "docket-reserve-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~DiskReserveTest() override { std::filesystem::remove_all(directory_); }
  std::string directory_;
};

TEST_F(DiskReserveTest, ChunksAreGivenBackOneByOneAndMadeAgain) {
  DiskReserve reserve(directory_, 3 * DiskReserve::kChunkBytes + 17);
  EXPECT_EQ(reserve.held_bytes(), 0U);
  EXPECT_FALSE(reserve.release());
  ASSERT_TRUE(reserve.restore());
  EXPECT_EQ(reserve.held_bytes(), 3 * DiskReserve::kChunkBytes);
  EXPECT_TRUE(reserve.release());
  EXPECT_TRUE(reserve.release());
  EXPECT_EQ(reserve.held_bytes(), DiskReserve::kChunkBytes);
  ASSERT_TRUE(reserve.restore());
  EXPECT_EQ(reserve.held_bytes(), 3 * DiskReserve::kChunkBytes);
}

TEST_F(DiskReserveTest, AReserveThatWouldFillTheDiskIsNotMade) {
  DiskReserve reserve(directory_, std::uint64_t{1} << 50);
  EXPECT_FALSE(reserve.restore());
  EXPECT_EQ(reserve.free_bytes() > 0, true);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(DiskReserveTest, NoReserveIsAlwaysWholeAndEmpty) {
  DiskReserve reserve(directory_, 0);
  EXPECT_TRUE(reserve.restore());
  EXPECT_FALSE(reserve.release());
}

TEST_F(DiskReserveTest, AMissingDirectoryHasNoSpace) {
  const DiskReserve reserve(directory_ + "/none", DiskReserve::kChunkBytes);
  EXPECT_EQ(reserve.free_bytes(), 0U);
}

}  // namespace
}  // namespace docket::store
