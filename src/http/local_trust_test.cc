#include "http/local_trust.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace docket::http {
namespace {

using std::chrono::seconds;

class FakeOwners final : public PeerOwners {
 public:
  explicit FakeOwners(PeerInfo& facts) : facts_(facts) {}
  PeerInfo look(int) override { return facts_; }

 private:
  PeerInfo& facts_;
};

class LocalTrustTest : public ::testing::Test {
 protected:
  void configure(TrustSettings settings, uid_t self = 1000) {
    trust_ = std::make_unique<LocalTrust>(std::move(settings), std::make_unique<FakeOwners>(facts_),
                                          self, [this](uid_t user, const std::string& group) {
                                            ++lookups_;
                                            return user == member_ && group == "docket";
                                          });
  }
  bool serves(PeerInfo facts) {
    facts_ = facts;
    said_ = trust_->objection(7, now_);
    return said_.empty();
  }
  bool serves_user(uid_t user) { return serves({.local = true, .owner = user}); }
  bool said(std::string_view text) const { return said_.find(text) != std::string::npos; }

  PeerInfo facts_;
  uid_t member_ = 2000;
  int lookups_ = 0;
  LocalTrust::Time now_{};
  std::string said_;
  std::unique_ptr<LocalTrust> trust_;
};

constexpr PeerInfo kNobodys{.local = true};
constexpr PeerInfo kRemote{.local = false};

TEST_F(LocalTrustTest, OnlyTheServersUserAndRootByDefault) {
  configure({});
  EXPECT_TRUE(serves_user(1000));
  EXPECT_TRUE(serves_user(0));
  EXPECT_FALSE(serves_user(65534));
  EXPECT_TRUE(said("serves root and its own user only, and this is user 65534")) << said_;
  for (const char* way : {"--trust-group", "--allow-local-users", "--access"}) {
    EXPECT_TRUE(said(way)) << said_;
  }
  EXPECT_FALSE(serves(kNobodys));
  EXPECT_TRUE(said("cannot be determined")) << said_;
  EXPECT_FALSE(serves(kRemote));
  EXPECT_TRUE(said("--allow-open")) << said_;
  EXPECT_EQ(lookups_, 0);
}

TEST_F(LocalTrustTest, AServerRunByRootServesRoot) {
  configure({}, 0);
  EXPECT_TRUE(serves_user(0));
  EXPECT_FALSE(serves_user(1000));
  EXPECT_TRUE(said("serves root only")) << said_;
}

TEST_F(LocalTrustTest, MembersOfAGroup) {
  configure({.groups = {"other", "docket"}});
  EXPECT_TRUE(serves_user(2000));
  EXPECT_FALSE(serves_user(3000));
  EXPECT_TRUE(said("members of the group docket")) << said_;
  EXPECT_FALSE(serves(kNobodys));
}

TEST_F(LocalTrustTest, MembershipIsLookedUpAgainAfterAWhile) {
  configure({.groups = {"docket"}});
  EXPECT_TRUE(serves_user(2000));
  EXPECT_FALSE(serves_user(3000));
  EXPECT_EQ(lookups_, 2);
  member_ = 3000;
  now_ += LocalTrust::kMemory - seconds(1);
  EXPECT_TRUE(serves_user(2000));
  EXPECT_FALSE(serves_user(3000));
  EXPECT_EQ(lookups_, 2);
  now_ += seconds(1);
  EXPECT_FALSE(serves_user(2000));
  EXPECT_TRUE(serves_user(3000));
}

TEST_F(LocalTrustTest, EveryLocalUserButNoOtherMachine) {
  configure({.local_users = true});
  EXPECT_TRUE(serves_user(65534));
  EXPECT_TRUE(serves(kNobodys));
  EXPECT_FALSE(serves(kRemote));
}

TEST_F(LocalTrustTest, OtherMachinesButNoOtherLocalUser) {
  configure({.remote = true});
  EXPECT_TRUE(serves(kRemote));
  EXPECT_TRUE(serves_user(1000));
  EXPECT_FALSE(serves_user(65534));
  EXPECT_FALSE(serves(kNobodys));
  configure({.local_users = true, .remote = true});
  EXPECT_TRUE(serves(kNobodys));
}

TEST(Groups, MatchTheSystemDatabase) {
  EXPECT_TRUE(check_group("root"));
  EXPECT_EQ(check_group("no-such-group").error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(is_member(0, "root"));
  EXPECT_FALSE(is_member(0, "nogroup"));
  EXPECT_FALSE(is_member(0, "no-such-group"));
  EXPECT_FALSE(is_member(4'000'000'000, "root")) << "a user that nobody knows";
}

}  // namespace
}  // namespace docket::http
