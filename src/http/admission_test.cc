#include "http/admission.h"

#include <gtest/gtest.h>

#include "http/loopback_pair.h"

namespace docket::http {
namespace {

Request request(std::string method, Fields headers) {
  Request request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  return request;
}

class AdmissionTest : public ::testing::Test {
 protected:
  int check(Request asked) {
    auto refusal = admission_.check(match_, asked, peer_, {});
    said_ = refusal.message;
    identity_ = asked.identity;
    return refusal.status;
  }
  int get(Fields headers) { return check(request("GET", std::move(headers))); }
  int post(Fields headers) { return check(request("POST", std::move(headers))); }

  void guard() {
    AccessList list;
    EXPECT_TRUE(list.add(token_digest("t"), anyone()));
    admission_.admit(std::move(list));
  }

  Admission admission_;
  LoopbackPair connection_;
  Peer peer_{connection_.server};
  Door door_;
  Route route_;
  Match match_{
      .status = 200, .door = &door_, .route = &route_, .path = {}, .params = {}, .allow = {}};
  std::string said_;
  IdentityPtr identity_;
};

TEST_F(AdmissionTest, TheHostMustBeThisServer) {
  EXPECT_EQ(get({{"host", "localhost:9000"}}), 0);
  EXPECT_EQ(get({{"host", "127.0.0.1"}}), 0);
  EXPECT_EQ(get({}), 0);  // HTTP/1.0
  EXPECT_EQ(get({{"host", ""}}), 400);
  EXPECT_EQ(get({{"host", "a b"}}), 400);
  EXPECT_EQ(get({{"host", "Evil.example:9000"}}), 421);
  EXPECT_NE(said_.find("not known as evil.example;"), std::string::npos) << said_;
  EXPECT_EQ(get({{"host", "192.168.77.5"}}), 421);
  HostNames names;
  ASSERT_TRUE(names.add("docket.example"));
  admission_.answer_to(names);
  EXPECT_EQ(get({{"host", "docket.example:443"}}), 0);
}

// Applies to public documents too: by rebinding a name, a foreign page can pose as one of the
// server's own.
TEST_F(AdmissionTest, EveryRequestOfAConnectionIsChecked) {
  route_.is_public = true;
  EXPECT_EQ(get({{"host", "localhost"}}), 0);
  EXPECT_EQ(get({{"host", "evil.example"}}), 421);
  EXPECT_EQ(get({{"host", "evil.example"}}), 421);
  EXPECT_EQ(get({{"host", "localhost"}}), 0);
}

TEST_F(AdmissionTest, TheAddressThatAConnectionArrivedOnIsAccepted) {
  EXPECT_TRUE(peer_.came_in_on("127.0.0.1"));
  EXPECT_FALSE(peer_.came_in_on("127.0.0.2"));
  EXPECT_FALSE(peer_.came_in_on(""));
  const LoopbackPair other("127.0.0.2", "127.0.0.2");
  EXPECT_TRUE(Peer(other.server).came_in_on("127.0.0.2"));
  const LoopbackPair mapped("::", "127.0.0.3");
  EXPECT_TRUE(Peer(mapped.server).came_in_on("127.0.0.3"));
}

const Fields kEvil{{"host", "localhost"}, {"origin", "http://evil.example"}};
const Fields kImage{{"host", "localhost"}, {"sec-fetch-site", "cross-site"}};

TEST_F(AdmissionTest, PagesOfOtherOriginsReadPublicDocumentsOnly) {
  for (const Fields& page : {kEvil, kImage}) {
    route_.is_public = false;
    EXPECT_EQ(get(page), 403);
    EXPECT_NE(said_.find("another origin"), std::string::npos);
    EXPECT_EQ(post(page), 403);
    route_.is_public = true;
    EXPECT_EQ(get(page), 0);
    EXPECT_EQ(check(request("HEAD", page)), 0);
    EXPECT_EQ(post(page), 403);
  }
  EXPECT_EQ(post({{"host", "localhost:80"}, {"origin", "http://localhost"}}), 0);
}

TEST_F(AdmissionTest, UnknownRoutesAreNotPublicDocuments) {
  match_.route = nullptr;
  match_.status = 404;
  EXPECT_EQ(get(kEvil), 403);
  EXPECT_EQ(get({{"host", "localhost"}}), 0);  // the router answers
}

TEST_F(AdmissionTest, ATokenCrossesOriginsWhereTheDoorAllowsIt) {
  Fields with_token = kEvil;
  with_token.emplace_back("authorization", "token=t");
  guard();
  EXPECT_EQ(post(with_token), 403);
  door_.tokens_cross_origins = true;
  EXPECT_EQ(post(with_token), 0);
  EXPECT_EQ(post(kEvil), 403);
  with_token.back().second = "token=other";
  EXPECT_EQ(post(with_token), 403);
}

// Without an access list a token proves nothing: anyone can send one.
TEST_F(AdmissionTest, TrustInAMachineIsNotTrustInItsPages) {
  door_.tokens_cross_origins = true;
  Fields with_token = kEvil;
  with_token.emplace_back("authorization", "token=t");
  EXPECT_EQ(post(with_token), 403);
}

TEST_F(AdmissionTest, AnAccessListIdentifiesTheCaller) {
  EXPECT_EQ(get({{"host", "localhost"}}), 0);
  EXPECT_EQ(identity_, anyone());
  guard();
  EXPECT_EQ(get({{"host", "localhost"}, {"authorization", "token=t"}}), 0);
  EXPECT_EQ(identity_, anyone());
  EXPECT_EQ(get({{"host", "localhost"}}), 0);  // the route decides
  EXPECT_EQ(identity_, nullptr);
}

class Owner final : public PeerOwners {
 public:
  Owner(uid_t user, int& asked) : user_(user), asked_(asked) {}
  PeerInfo look(int) override {
    ++asked_;
    return {.local = true, .owner = user_};
  }

 private:
  uid_t user_;
  int& asked_;
};

class StrangerTest : public AdmissionTest {
 protected:
  void come_from(uid_t user) {
    admission_.trust(std::make_unique<LocalTrust>(TrustSettings{},
                                                  std::make_unique<Owner>(user, asked_), 1000,
                                                  [](uid_t, const std::string&) { return false; }));
  }
  const Fields kLocal{{"host", "localhost"}};
  int asked_ = 0;
};

TEST_F(StrangerTest, IsToldHowToGetAccess) {
  come_from(65534);
  EXPECT_EQ(get(kLocal), 403);
  EXPECT_NE(said_.find("--trust-group"), std::string::npos) << said_;
  EXPECT_EQ(identity_, nullptr);
  EXPECT_EQ(post(kLocal), 403);
  match_.status = 404;
  match_.route = nullptr;
  EXPECT_EQ(get(kLocal), 403) << "and not what there is";
}

TEST_F(StrangerTest, MayReadPublicDocumentsThatHaveNoGate) {
  come_from(65534);
  route_.is_public = true;
  EXPECT_EQ(get(kLocal), 0);
  EXPECT_EQ(asked_, 0);
  EXPECT_EQ(post(kLocal), 403);
  const Gate gate{.resource = "docket:native"};
  match_.gate = &gate;
  EXPECT_EQ(get(kLocal), 403);
}

TEST_F(StrangerTest, TheServersOwnerIsNoStranger) {
  come_from(1000);
  const Gate gate{.resource = "docket:native"};
  match_.gate = &gate;
  EXPECT_EQ(post(kLocal), 0);
  EXPECT_EQ(identity_, anyone());
  EXPECT_EQ(get(kEvil), 403) << "his browser runs pages of others";
}

TEST_F(StrangerTest, IsLookedUpOncePerConnection) {
  come_from(65534);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(kLocal), 403);
  EXPECT_EQ(asked_, 1);
}

TEST_F(StrangerTest, AnAccessListAloneDecidesWhereThereIsOne) {
  come_from(1000);
  guard();
  EXPECT_EQ(get(kLocal), 0);
  EXPECT_EQ(identity_, nullptr) << "the route refuses";
  EXPECT_EQ(get({{"host", "localhost"}, {"authorization", "token=t"}}), 0);
  EXPECT_EQ(identity_, anyone());
  EXPECT_EQ(asked_, 0);
}

TEST_F(AdmissionTest, TheGateIsCheckedLast) {
  const Gate gate{.resource = "docket:native"};
  match_.gate = &gate;
  guard();
  EXPECT_EQ(post({{"host", "localhost"}}), 401);
  EXPECT_EQ(post(kEvil), 403);
  EXPECT_EQ(post({{"host", "evil.example"}}), 421);
  EXPECT_EQ(post({{"host", "localhost"}, {"authorization", "token=t"}}), 0);
}

TEST_F(AdmissionTest, TheGateNamesTheMissingPermission) {
  const Gate gate{.resource = "docket:native", .read = Action::kRead};
  match_.gate = &gate;
  AccessList list;
  ASSERT_TRUE(list.add(token_digest("t"), std::make_shared<const Identity>("reader")));
  admission_.admit(std::move(list));
  EXPECT_EQ(get({{"host", "localhost"}, {"authorization", "token=t"}}), 403);
  EXPECT_EQ(said_, "This needs the permission docket:native read");
  EXPECT_EQ(post({{"host", "localhost"}, {"authorization", "token=t"}}), 403);
  EXPECT_EQ(said_, "This needs the permission docket:native full");
}

}  // namespace
}  // namespace docket::http
