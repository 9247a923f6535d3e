#include "app/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace docket::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DataDirectory : public ::testing::Test {
 protected:
  DataDirectory() : umask_(::umask(0)) {
    std::string pattern = fs::temp_directory_path() / "docket-data-XXXXXX";
    root = ::mkdtemp(pattern.data());
    data = root / "data";
  }
  void TearDown() override {
    ::umask(umask_);
    fs::remove_all(root);
  }

  static mode_t mode(const fs::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }
  static std::string refusal(const Result<>& result) {
    return result ? "(accepted)" : result.error().message;
  }
  void make(mode_t mode) const {
    fs::create_directory(data);
    ::chmod(data.c_str(), mode);
  }
  void put(const fs::path& file, mode_t mode = 0600) const {
    std::ofstream(file) << "x";
    ::chmod(file.c_str(), mode);
  }

  fs::path root;
  fs::path data;

 private:
  mode_t umask_;
};

TEST_F(DataDirectory, IsCreatedTraversableWhateverTheUmask) {
  for (const mode_t umask : {0U, 0022U, 0077U}) {
    ::umask(umask);
    const fs::path path = root / std::to_string(umask) / "a/data/";
    ASSERT_TRUE(prepare_directory(path));
    EXPECT_EQ(mode(path), 0711U);
    EXPECT_EQ(mode(path.parent_path().parent_path()), 0755U) << "what is above it";
  }
}

TEST_F(DataDirectory, IsClosedToReaders) {
  make(0755);
  ASSERT_TRUE(prepare_directory(data));
  EXPECT_EQ(mode(data), 0711U);
  make(0700);
  ASSERT_TRUE(prepare_directory(data));
  EXPECT_EQ(mode(data), 0700U) << "whoever closed it further meant it";
}

TEST_F(DataDirectory, IsRefusedWhenOthersMayWrite) {
  for (const mode_t writable : {0777U, 0731U, 0722U, 01777U}) {
    make(writable);
    const auto refused = prepare_directory(data);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kDenied);
    EXPECT_THAT(refused.error().message, HasSubstr("others may write into it"));
    EXPECT_EQ(mode(data), writable) << "what they have put there must be looked at first";
  }
}

TEST_F(DataDirectory, IsRefusedWhenAnotherUserOwnsIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  make(0711);
  ASSERT_EQ(::chown(data.c_str(), 65534, 65534), 0);
  EXPECT_THAT(refusal(prepare_directory(data)), HasSubstr("belongs to user 65534"));
}

TEST_F(DataDirectory, IsRefusedWhenItIsAFile) {
  put(data);
  EXPECT_THAT(refusal(prepare_directory(data)), HasSubstr("cannot use"));
}

TEST_F(DataDirectory, FilesAreClosedToOthers) {
  const fs::path key = root / "secret.key";
  EXPECT_TRUE(keep_private(key)) << "missing";
  for (const mode_t open : {0644U, 0666U, 0640U}) {
    put(key, open);
    ASSERT_TRUE(keep_private(key));
    EXPECT_EQ(mode(key), 0600U);
  }
  if (::geteuid() != 0) return;
  put(key, 0644);
  ASSERT_EQ(::chown(key.c_str(), 65534, 65534), 0);
  EXPECT_THAT(refusal(keep_private(key)), HasSubstr("others may read it"));
}

// ---- whether there is a store

TEST_F(DataDirectory, AStoreThatMustExist) {
  const StoreRule rule = parse_store_rule("true").value();
  EXPECT_THAT(refusal(check_store_is_there(data, rule)), HasSubstr("is its disk not mounted?"));
  make(0711);
  std::ofstream(data / "docket.db").close();
  EXPECT_THAT(refusal(check_store_is_there(data, rule)), HasSubstr("is its disk not mounted?"));
  put(data / "docket.db");
  EXPECT_TRUE(check_store_is_there(data, rule));
  EXPECT_TRUE(check_store_is_there(root, parse_store_rule("false").value()));
}

TEST_F(DataDirectory, AStoreThatMustExistOnceSeen) {
  const fs::path mark = root / "seen";
  const StoreRule rule = parse_store_rule(mark).value();
  EXPECT_TRUE(check_store_is_there(data, rule)) << "the first start";
  ASSERT_TRUE(mark_store_seen(rule));
  ASSERT_TRUE(mark_store_seen(rule)) << "again";
  EXPECT_THAT(refusal(check_store_is_there(data, rule)), HasSubstr(mark.string()));
  fs::remove(mark);
  EXPECT_TRUE(check_store_is_there(data, rule));
  EXPECT_FALSE(parse_store_rule("perhaps"));
}

}  // namespace
}  // namespace docket::app
