#include "http/access.h"

#include <gtest/gtest.h>

namespace docket::http {
namespace {

constexpr std::string_view kJobs = "dcos:service:metronome:metronome:jobs";

std::string job(const std::string& path) { return std::string(kJobs) + ":" + path; }

IdentityPtr holder(const std::vector<std::string>& permissions) {
  Identity identity("someone");
  for (const std::string& permission : permissions) EXPECT_TRUE(identity.grant(permission));
  return std::make_shared<const Identity>(std::move(identity));
}

TEST(Identity, MayDoNothingAtFirst) {
  EXPECT_FALSE(Identity("new").may(job("a"), Action::kRead));
  EXPECT_TRUE(anyone()->may(job("a"), Action::kFull));
}

TEST(Identity, APermissionCoversWhatLiesBelow) {
  const auto marketing = holder({job("marketing") + " read"});
  EXPECT_TRUE(marketing->may(job("marketing"), Action::kRead));
  EXPECT_TRUE(marketing->may(job("marketing/spring/mail"), Action::kRead));
  EXPECT_FALSE(marketing->may(job("marketing2"), Action::kRead));
  EXPECT_FALSE(marketing->may(job("sales/marketing"), Action::kRead));
  EXPECT_FALSE(marketing->may(kJobs, Action::kRead));
  EXPECT_TRUE(holder({std::string(kJobs) + " read"})->may(job("any/thing"), Action::kRead));
}

TEST(Identity, ActionsAreSeparateAndAddUp) {
  const auto some = holder({job("a") + " read,update", job("a/b") + " delete"});
  EXPECT_TRUE(some->may(job("a/b"), Action::kRead));
  EXPECT_TRUE(some->may(job("a/b"), Action::kDelete));
  EXPECT_FALSE(some->may(job("a"), Action::kDelete));
  EXPECT_FALSE(some->may(job("a/b"), Action::kCreate));
  EXPECT_FALSE(some->may(job("a/b"), Action::kFull));
  EXPECT_TRUE(holder({job("a") + " create,read,update,delete"})->may(job("a"), Action::kFull));
}

TEST(Identity, OnlyFullMakesASuperuser) {
  EXPECT_TRUE(holder({"dcos:superuser full"})->may("whatever:it:is", Action::kFull));
  EXPECT_FALSE(holder({"dcos:superuser read"})->may("whatever:it:is", Action::kRead));
}

TEST(Identity, BadPermissionsAreRefused) {
  for (const char* bad : {"", "dcos:superuser", " full", "a ", "a write", "a read,", "a ,read",
                          "a read update", "a READ"}) {
    const auto done = Identity("x").grant(bad);
    ASSERT_FALSE(done) << bad;
    EXPECT_EQ(done.error().kind, ErrorKind::kInvalid);
  }
}

TEST(AccessList, FindsATokenByItsDigest) {
  AccessList list;
  const auto alice = holder({"dcos:superuser full"});
  ASSERT_TRUE(list.add(token_digest("s3cret.token-of_alice"), alice));
  EXPECT_EQ(list.identify("token=s3cret.token-of_alice"), alice);
  EXPECT_EQ(list.identify("Bearer s3cret.token-of_alice"), alice);
  for (const char* bad : {"", "token=", "token=s3cret", "Basic czNjcmV0", "s3cret.token-of_alice",
                          "token= s3cret.token-of_alice", "TOKEN=s3cret.token-of_alice"}) {
    EXPECT_EQ(list.identify(bad), nullptr) << bad;
  }
}

TEST(AccessList, BadDigestsAreRefused) {
  AccessList list;
  EXPECT_EQ(token_digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(list.add("s3cret", anyone()).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(list.add(std::string(64, 'A'), anyone()).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(list.add(token_digest("abc"), anyone()));
  EXPECT_EQ(list.add(token_digest("abc"), anyone()).error().kind, ErrorKind::kConflict);
}

TEST(Gate, ReadersAndWriters) {
  const Gate gate{.resource = "docket:native", .read = Action::kRead, .write = Action::kFull};
  const auto reader = holder({"docket:native read"});
  EXPECT_EQ(gate.refusal(nullptr, "GET"), 401);
  EXPECT_EQ(gate.refusal(reader, "GET"), 0);
  EXPECT_EQ(gate.refusal(reader, "HEAD"), 0);
  EXPECT_EQ(gate.refusal(reader, "POST"), 403);
  EXPECT_EQ(gate.refusal(holder({"docket:native full"}), "POST"), 0);
  EXPECT_EQ(gate.refusal(holder({"other full"}), "GET"), 403);
  EXPECT_EQ(Gate{}.refusal(nullptr, "POST"), 0);
  EXPECT_EQ(gate.wanted("HEAD"), "docket:native read");
  EXPECT_EQ(gate.wanted("DELETE"), "docket:native full");
}

}  // namespace
}  // namespace docket::http
