#include "app/access_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/system.h"

namespace docket::app {
namespace {

class AccessFile : public ::testing::Test {
 protected:
  ~AccessFile() override { std::filesystem::remove(path_); }
  std::string complaint(const std::string& text) {
    std::ofstream(path_) << text;
    const auto list = read_access_file(path_);
    return list ? "" : list.error().message.substr(path_.size() + 2);
  }

  const std::string path_ =
      std::filesystem::temp_directory_path() / ("docket-access-test-" + std::to_string(::getpid()));
  SystemRandom random_;
};

TEST_F(AccessFile, AddedUsersAreFoundByTheirTokens) {
  const auto alice = add_user(path_, "alice \"a\"", {"dcos:superuser full"}, random_);
  const auto bob = add_user(path_, "bob", {"docket:native read", "x:y create,update"}, random_);
  ASSERT_TRUE(alice && bob);
  EXPECT_EQ(alice->size(), 43U);
  EXPECT_NE(*alice, *bob);
  const auto list = read_access_file(path_);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->identify("token=" + *alice)->name(), "alice \"a\"");
  EXPECT_TRUE(list->identify("token=" + *bob)->may("x:y", http::Action::kUpdate));
  EXPECT_FALSE(list->identify("token=" + *bob)->may("docket:native", http::Action::kUpdate));
}

TEST_F(AccessFile, HoldsNoTokenAndIsItsOwnersOnly) {
  const auto token = add_user(path_, "alice", {"dcos:superuser full"}, random_);
  ASSERT_TRUE(token);
  std::ifstream in(path_);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text.find(*token), std::string::npos);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AccessFile, ANameIsTakenOnce) {
  ASSERT_TRUE(add_user(path_, "alice", {}, random_));
  EXPECT_EQ(add_user(path_, "alice", {}, random_).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(add_user(path_, "", {}, random_).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(add_user(path_, "bob", {"all"}, random_).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(read_access_file(path_));
}

TEST_F(AccessFile, MistakesAreNamed) {
  const std::string digest(64, 'a');
  EXPECT_EQ(complaint(""), "");
  EXPECT_EQ(complaint("users = 1"), "expected [[user]] tables, found users");
  EXPECT_EQ(complaint("[user]\nname = 'a'"), "expected [[user]] tables, found user");
  EXPECT_EQ(complaint("[[user]]\ntoken-sha256 = 'x'"), "user ?: a user without a name");
  EXPECT_EQ(complaint("[[user]]\nname = 'a'\npermissions = []"), "user a: token-sha256 is missing");
  EXPECT_EQ(complaint("[[user]]\nname = 'a'\ntoken-sha256 = '" + digest + "'"),
            "user a: permissions is missing, or not a list");
  EXPECT_EQ(complaint("[[user]]\nname = 'a'\ntoken = 'x'"), "user a: unknown key token");
  EXPECT_EQ(complaint("[[user]]\nname = 'a'\ntoken-sha256 = 'x'\npermissions = []"),
            "user a: not a SHA-256 in lower-case hexadecimal: \"x\"");
  EXPECT_TRUE(
      complaint("[[user]]\nname = 'a'\ntoken-sha256 = '" + digest + "'\npermissions = ['x']")
          .starts_with("user a: expected \"RESOURCE"));
  EXPECT_FALSE(complaint("[[user").empty());
}

TEST_F(AccessFile, AMissingFileIsAnError) { EXPECT_FALSE(read_access_file(path_)); }

}  // namespace
}  // namespace docket::app
