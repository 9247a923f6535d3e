#include "app/access_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/system.h"
#include "dialects/metronome/access.h"

namespace docket::app {
namespace {

constexpr const char* kOfJobX = "dcos:service:metronome:metronome:jobs:x create,update";
const std::vector<std::string> kAll{"dcos:superuser full"};

class AccessFile : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
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
  const auto bob = add_user(path_, "bob", {"docket:native read", kOfJobX}, random_);
  ASSERT_TRUE(alice && bob);
  EXPECT_EQ(alice->size(), 43U);
  EXPECT_NE(*alice, *bob);
  const auto list = read_access_file(path_);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->identify("token=" + *alice)->name(), "alice \"a\"");
  EXPECT_TRUE(list->identify("token=" + *bob)
                  ->may(metronome::kJobsResource + std::string(":x/y"), http::Action::kUpdate));
  EXPECT_FALSE(list->identify("token=" + *bob)->may("docket:native", http::Action::kUpdate));
}

TEST_F(AccessFile, HoldsNoTokenAndIsForItsOwnerOnly) {
  const auto token = add_user(path_, "alice", {"dcos:superuser full"}, random_);
  ASSERT_TRUE(token);
  std::ifstream in(path_);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text.find(*token), std::string::npos);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(AccessFile, NamesAreUnique) {
  ASSERT_TRUE(add_user(path_, "alice", kAll, random_));
  EXPECT_EQ(add_user(path_, "alice", kAll, random_).error().kind, ErrorKind::kConflict);
  EXPECT_EQ(add_user(path_, "", kAll, random_).error().kind, ErrorKind::kInvalid);
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

TEST_F(AccessFile, NobodyIsASuperuserUnasked) {
  const auto added = add_user(path_, "alice", {}, random_);
  ASSERT_FALSE(added);
  EXPECT_TRUE(added.error().message.starts_with("say what alice may do: --superuser"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(AccessFile, PermissionsNameKnownResources) {
  const auto refusal = [&](const std::string& permission) {
    const auto added = add_user(path_, permission, {permission}, random_);
    return added ? "" : added.error().message;
  };
  EXPECT_EQ(refusal("docket:nativ read"),
            "no such resource: docket:nativ; did you mean docket:native?");
  EXPECT_TRUE(
      refusal("x:y full").starts_with("no such resource: x:y; the resources are dcos:super"));
  const std::string jobs = metronome::kJobsResource;
  for (const std::string& wrong : {jobs + ":prod.email", jobs + ":/prod", jobs + ":", jobs + "s"}) {
    EXPECT_NE(refusal(wrong + " read"), "") << wrong;
  }
  for (const std::string& right : {jobs, jobs + ":prod/email", std::string("docket"),
                                   std::string("docket:tasks"), std::string("dcos:service")}) {
    EXPECT_EQ(refusal(right + " full"), "") << right;
  }
  EXPECT_EQ(complaint("[[user]]\nname = 'a'\ntoken-sha256 = '" + std::string(64, 'a') +
                      "'\npermissions = ['docket:task read']"),
            "user a: no such resource: docket:task; did you mean docket:tasks?");
}

TEST_F(AccessFile, UsersAreListedAndRemoved) {
  ASSERT_TRUE(add_user(path_, "alice", kAll, random_));
  ASSERT_TRUE(add_user(path_, "bob", {"docket:native read", kOfJobX}, random_));
  const auto carol = add_user(path_, "carol", kAll, random_);
  ASSERT_TRUE(carol);
  const auto users = read_users(path_);
  ASSERT_TRUE(users);
  ASSERT_EQ(users->size(), 3U);
  EXPECT_EQ((*users)[1].name, "bob");
  EXPECT_EQ((*users)[1].permissions, (std::vector<std::string>{"docket:native read", kOfJobX}));
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  ASSERT_TRUE(remove_user(path_, "bob"));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U) << "the server may read it by its group";
  EXPECT_EQ(read_users(path_)->size(), 2U);
  EXPECT_EQ(remove_user(path_, "bob").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(read_access_file(path_)->identify("token=" + *carol)->name(), "carol");
  ASSERT_TRUE(remove_user(path_, "carol"));
  ASSERT_TRUE(remove_user(path_, "alice"));
  EXPECT_TRUE(read_users(path_)->empty());
}

TEST_F(AccessFile, CommentsStayWithTheirUser) {
  const auto user = [](const std::string& name, char digit) {
    return "[[user]]\nname = '" + name + "'\ntoken-sha256 = '" + std::string(64, digit) +
           "'\npermissions = []\n";
  };
  std::ofstream(path_) << "# people\n" + user("a", 'a') + "\n# the robot\n" + user("b", 'b');
  ASSERT_TRUE(remove_user(path_, "a"));
  std::ifstream in(path_);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, "# people\n\n# the robot\n" + user("b", 'b'));
}

TEST_F(AccessFile, AMissingFileIsAnError) { EXPECT_FALSE(read_access_file(path_)); }

}  // namespace
}  // namespace docket::app
