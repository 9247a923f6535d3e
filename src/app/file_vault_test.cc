#include <gtest/gtest.h>

#include <filesystem>

#include "app/system.h"

namespace docket::app {
namespace {

namespace fs = std::filesystem;

class FileVaultTest : public ::testing::Test {
 protected:
  FileVaultTest() {
    std::string pattern = fs::temp_directory_path() / "docket-vault-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    key = directory / "secret.key";
  }
  ~FileVaultTest() override { fs::remove_all(directory); }

  fs::path directory;
  std::string key;
  SystemRandom random;
};

TEST_F(FileVaultTest, TheKeyOutlivesTheServer) {
  const std::string sealed =
      FileVault::open(key, false, random).value().seal("db/pw", "hunter2", random);
  EXPECT_EQ(FileVault::open(key, true, random).value().unseal("db/pw", sealed).value(), "hunter2");
  EXPECT_EQ(fs::status(key).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

// A link to itself cannot be opened by anybody, not even root.
TEST_F(FileVaultTest, AKeyThatCannotBeReadIsNotReplaced) {
  fs::create_symlink("secret.key", key);
  EXPECT_FALSE(FileVault::open(key, false, random));
  EXPECT_TRUE(fs::is_symlink(key));
}

// A new one would make the existing secrets unreadable for ever.
TEST_F(FileVaultTest, AKeyInUseThatIsMissingIsNotReplaced) {
  const auto vault = FileVault::open(key, true, random);
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(fs::exists(key));
}

}  // namespace
}  // namespace docket::app
