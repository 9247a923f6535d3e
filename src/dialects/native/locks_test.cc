#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeLocks : public NativeTest {
 protected:
  NativeLocks() {
    for (const char* id : {"a", "b"}) {
      auto job = docket.job(id);
      kinds::change_process(job.spec).locks = {{.name = "db", .wait = model::LockWait::kQueue}};
      docket.add_job(job);
    }
  }
};

TEST_F(NativeLocks, HolderAndWaiters) {
  EXPECT_EQ(get("/locks").size(), 0);
  EXPECT_EQ(get("/locks/db").status(), 404);
  const auto holder = docket.start("a");
  const auto waiter = docket.start("b");
  const auto lock = get("/locks/db");
  EXPECT_EQ(lock.at("/fencing"), "1");
  EXPECT_EQ(lock.at("/holder"), std::to_string(holder.value));
  EXPECT_EQ(lock.at("/holderJob"), "a");
  EXPECT_EQ(lock.at("/heldSince"), "2024-01-15T10:00:00.000000Z");
  EXPECT_EQ(lock.at("/waiters"), "[\"" + std::to_string(waiter.value) + "\"]");
  EXPECT_EQ(get("/locks").each("name"), "db");
}

TEST_F(NativeLocks, FencingRisesAndAFreeLockHasNoHolder) {
  for (int i = 0; i < 2; ++i) {
    const auto run = docket.start("a");
    docket.run_attempt(run);
    docket.finish_attempt(run, 0);
  }
  const auto lock = get("/locks/db");
  EXPECT_EQ(lock.at("/fencing"), "2");
  EXPECT_EQ(lock.at("/holder"), "null");
  EXPECT_EQ(lock.at("/heldSince"), "null");
  EXPECT_EQ(lock.size("/waiters"), 0);
}

TEST_F(NativeLocks, ListPages) {
  auto job = docket.job("many");
  kinds::change_process(job.spec).locks = {{.name = "x"}, {.name = "y"}, {.name = "z"}};
  docket.add_job(job);
  docket.start("many");
  const auto first = get("/locks?limit=2");
  EXPECT_EQ(first.each("name"), "x y");
  EXPECT_EQ(get("/locks?limit=2&after=" + first.at("/next")).each("name"), "z");
  EXPECT_EQ(get("/locks?limit=0").status(), 400);
}

// ---- secrets

class NativeSecrets : public NativeTest {};

TEST_F(NativeSecrets, GoInAndNeverComeOut) {
  EXPECT_EQ(put("/secrets/db/password", R"({"value":"hunter2"})").status(), 204);
  docket.advance(minutes{1});
  EXPECT_EQ(put("/secrets/api%20key", R"({"value":""})").status(), 204);
  const auto list = get("/secrets");
  EXPECT_EQ(list.response.body,
            R"({"items":[{"path":"api key","updatedAt":"2024-01-15T10:01:00.000000Z"},)"
            R"({"path":"db/password","updatedAt":"2024-01-15T10:00:00.000000Z"}],"next":null})");
  EXPECT_EQ(get("/secrets?limit=1").at("/next"), "api key");
  EXPECT_EQ(get("/secrets?after=api%20key").each("path"), "db/password");
  EXPECT_EQ(docket.store->load()->secrets.size(), 2U);
  EXPECT_EQ(docket.ask(*door, "GET", "/secrets/db/password").status, 405);
}

TEST_F(NativeSecrets, PutReplacesAndDeleteRemoves) {
  put("/secrets/k", R"({"value":"1"})");
  docket.advance(hours{1});
  put("/secrets/k", R"({"value":"2"})");
  EXPECT_EQ(get("/secrets").each("updatedAt"), "2024-01-15T11:00:00.000000Z");
  EXPECT_EQ(del("/secrets/k").status(), 204);
  EXPECT_EQ(del("/secrets/k").at("/detail"), "secret 'k' does not exist");
  EXPECT_EQ(get("/secrets").size(), 0);
}

TEST_F(NativeSecrets, BadBodiesChangeNothingAndAreNotRepeated) {
  EXPECT_EQ(put("/secrets/k", R"({"value":7})").errors(), "/value: must be a string");
  EXPECT_EQ(put("/secrets/k", R"({})").errors(), "/value: is required");
  EXPECT_EQ(put("/secrets/k%0A", R"({"value":"v"})").at("/detail"),
            "a secret's path must not contain control characters");
  EXPECT_EQ(put("/secrets/k", R"({"value":"x","values":"y"})").errors(),
            "/values: is not a known member");
  EXPECT_EQ(put("/secrets/k", R"("hunter2)").response.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(put("/secrets/" + std::string(1025, 'x'), R"({"value":""})").status(), 400);
  EXPECT_EQ(put("/secrets/", R"({"value":""})").status(), 400);
  EXPECT_EQ(get("/secrets").size(), 0);
}

}  // namespace
}  // namespace docket::native
