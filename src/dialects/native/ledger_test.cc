#include "support/native_fixture.h"

namespace docket::native {
namespace {

// "outcome@firstDue" of every row, in order, with the count where a row has several due times.
std::string rows(const Answer& ledger) {
  std::string out;
  for (const Json& item : ledger.body.at("items").as_array()) {
    out += (out.empty() ? "" : " ") + text(item.at("outcome")) + "@" +
           text(item.at("firstDue")).substr(0, 16);
    if (text(item.at("count")) != "1") out += "x" + text(item.at("count"));
  }
  return out;
}

// These tests span years; retention must remove nothing.
engine::Settings keeping_all() {
  engine::Settings settings = testing::Harness::roomy();
  settings.retention = Duration::zero();
  settings.sweep_interval = std::chrono::days{365};
  return settings;
}

class NativeLedger : public NativeTest {
 protected:
  NativeLedger() : NativeTest(keeping_all()) {}

  void make(const std::string& cron, const std::string& more = "") {
    const auto made =
        post("/jobs", R"({"id":"a","run":{"cmd":"true"},"schedules":[{"id":"s","cron":")" + cron +
                          '"' + more + "}]}");
    ASSERT_EQ(made.status(), 201) << made.response.body;
  }
  Answer ledger(const std::string& query = "?order=oldest") {
    return get("/jobs/a/schedules/s/ledger" + query);
  }
  void at(const char* time) { docket.advance_to(parse_time(time).value()); }
};

TEST_F(NativeLedger, RanNamesItsRun) {
  make("0 * * * *");
  at("2024-01-15T12:30:00Z");
  const auto shown = ledger();
  EXPECT_EQ(rows(shown), "ran@2024-01-15T11:00 ran@2024-01-15T12:00");
  const auto run = get("/runs/" + shown.at("/items/0/run"));
  EXPECT_EQ(run.at("/dueAt"), "2024-01-15T11:00:00.000000Z");
  EXPECT_EQ(shown.at("/items/0/runName"), run.at("/name"));
  EXPECT_EQ(shown.at("/items/0/lastDue"), shown.at("/items/0/firstDue"));
  EXPECT_EQ(shown.at("/items/0/localTime"), "2024-01-15T11:00:00");
  EXPECT_EQ(shown.at("/items/0/fold"), "null");
}

TEST_F(NativeLedger, ARunThatHasNotStartedHasNotRun) {
  ASSERT_EQ(post("/jobs", R"({"id":"a","run":{"cmd":"true","cpus":1000},)"
                          R"("schedules":[{"id":"s","cron":"0 * * * *"}]})")
                .status(),
            201);
  at("2024-01-15T11:05:00Z");
  const auto waiting = ledger();
  EXPECT_EQ(rows(waiting), "waiting@2024-01-15T11:00");
  ASSERT_EQ(post("/tasks/" + waiting.at("/items/0/run") + "/abort", "").status(), 200);
  EXPECT_EQ(rows(ledger()), "not_started@2024-01-15T11:00");
}

TEST_F(NativeLedger, ForbidSkips) {
  make("0 * * * *", R"(,"concurrencyPolicy":"FORBID")");
  at("2024-01-15T12:30:00Z");
  EXPECT_EQ(rows(ledger()), "ran@2024-01-15T11:00 skipped_forbid@2024-01-15T12:00");
}

TEST_F(NativeLedger, MissedDueTimesAreListedOneByOne) {
  make("0 * * * *");
  docket.restart(hours{3} + minutes{30});
  open_door();
  docket.settle();
  docket.advance(minutes{1});
  EXPECT_EQ(
      rows(ledger()),
      "missed_down@2024-01-15T11:00 missed_down@2024-01-15T12:00 missed_down@2024-01-15T13:00");
  EXPECT_EQ(rows(ledger("?from=2024-01-15T12:00:00Z&until=2024-01-15T13:00:00Z&order=oldest")),
            "missed_down@2024-01-15T12:00");
}

TEST_F(NativeLedger, MissedDueTimesOfAnEarlierCronStayOneRow) {
  make("0 * * * *");
  docket.restart(hours{3} + minutes{30});
  open_door();
  docket.advance(minutes{1});
  put("/jobs/a/schedules/s", R"({"cron":"30 9 * * *"})");
  EXPECT_EQ(rows(ledger()), "missed_down@2024-01-15T11:00x3");
  EXPECT_EQ(ledger().at("/items/0/lastDue"), "2024-01-15T13:00:00.000000Z");
  EXPECT_EQ(rows(ledger("")), "missed_down@2024-01-15T11:00x3");
}

// 31 March 2024: Rome's clocks jump from 02:00 to 03:00 at 01:00 UTC.
TEST_F(NativeLedger, ALocalTimeInTheSpringGapIsARow) {
  at("2024-03-29T12:00:00Z");
  make("30 2 * * *", R"(,"timezone":"Europe/Rome")");
  at("2024-04-01T12:00:00Z");
  const auto shown = ledger("?from=2024-03-30T00:00:00Z&until=2024-04-02T00:00:00Z&order=oldest");
  EXPECT_EQ(rows(shown), "ran@2024-03-30T01:30 dst_gap@2024-03-31T01:00 ran@2024-04-01T00:30");
  EXPECT_EQ(shown.at("/items/1/localTime"), "2024-03-31T02:30:00");
  EXPECT_EQ(shown.at("/items/1/run"), "null");
  EXPECT_EQ(shown.at("/items/1/runName"), "null");
}

// 27 October 2024: 02:30 happens twice in Rome.
TEST_F(NativeLedger, TheTwoInstantsOfAFoldAreMarked) {
  at("2024-10-26T12:00:00Z");
  make("30 2 * * *", R"(,"timezone":"Europe/Rome")");
  at("2024-10-27T12:00:00Z");
  const auto shown = ledger("?from=2024-10-27T00:00:00Z&order=oldest");
  EXPECT_EQ(rows(shown), "ran@2024-10-27T00:30 ran@2024-10-27T01:30");
  EXPECT_EQ(shown.each("fold"), "first second");
  EXPECT_EQ(shown.each("localTime"), "2024-10-27T02:30:00 2024-10-27T02:30:00");
}

TEST_F(NativeLedger, GapsInTheFutureOrBeforeTheScheduleAreNotRows) {
  at("2024-06-01T00:00:00Z");
  make("30 2 * * *", R"(,"timezone":"Europe/Rome")");
  const auto shown = ledger("?from=2024-01-01T00:00:00Z&until=2026-01-01T00:00:00Z&order=oldest");
  EXPECT_EQ(rows(shown), "");
}

TEST_F(NativeLedger, PastDeadlineReplacesRan) {
  make("0 11 * * *", R"(,"startingDeadlineSeconds":60)");
  put("/jobs/a", R"({"run":{"cmd":"true","cpus":1000}})");
  at("2024-01-15T11:10:00Z");
  const auto shown = ledger();
  EXPECT_EQ(rows(shown), "past_deadline@2024-01-15T11:00");
  EXPECT_EQ(get("/runs/" + shown.at("/items/0/run")).at("/state"), "failed");
}

TEST_F(NativeLedger, NewestComeFirstByDefaultAndPagesFollow) {
  make("0 * * * *");
  at("2024-01-15T15:30:00Z");
  const auto first = ledger("?limit=2");
  EXPECT_EQ(rows(first), "ran@2024-01-15T15:00 ran@2024-01-15T14:00");
  const auto second = ledger("?limit=2&after=" + first.at("/next"));
  EXPECT_EQ(rows(second), "ran@2024-01-15T13:00 ran@2024-01-15T12:00");
  const auto third = ledger("?limit=2&after=" + second.at("/next"));
  EXPECT_EQ(rows(third), "ran@2024-01-15T11:00");
  EXPECT_EQ(third.at("/next"), "null");
}

TEST_F(NativeLedger, OldestFirstPagesToo) {
  make("0 * * * *");
  at("2024-01-15T15:30:00Z");
  const auto first = ledger("?limit=2&order=oldest");
  EXPECT_EQ(rows(first), "ran@2024-01-15T11:00 ran@2024-01-15T12:00");
  const auto second = ledger("?limit=2&order=oldest&after=" + first.at("/next"));
  EXPECT_EQ(rows(second), "ran@2024-01-15T13:00 ran@2024-01-15T14:00");
  const auto third = ledger("?limit=2&order=oldest&after=" + second.at("/next"));
  EXPECT_EQ(rows(third), "ran@2024-01-15T15:00");
  EXPECT_EQ(third.at("/next"), "null");
}

TEST_F(NativeLedger, NewestFindsRareDueTimesFarBack) {
  make("0 0 1 1 *");
  at("2029-06-01T00:00:00Z");
  EXPECT_EQ(rows(ledger("?limit=2")), "ran@2029-01-01T00:00 ran@2028-01-01T00:00");
}

TEST_F(NativeLedger, AYearOfMissedMinutesIsBuiltPageByPage) {
  make("* * * * *");
  docket.restart(hours{24 * 365});
  open_door();
  docket.settle();
  docket.advance(hours{1});
  const auto shown = ledger("?limit=500&until=2024-07-01T00:00:00Z");
  EXPECT_EQ(shown.size(), 500);
  EXPECT_EQ(shown.at("/items/0/firstDue"), "2024-06-30T23:59:00.000000Z");
  EXPECT_EQ(shown.at("/items/0/outcome"), "missed_down");
  EXPECT_EQ(shown.at("/next"), shown.at("/items/499/firstDue"));
}

TEST_F(NativeLedger, BadQueriesAndUnknownSchedules) {
  make("0 * * * *");
  EXPECT_EQ(ledger("?from=yesterday").errors(),
            "?from: must be an RFC 3339 timestamp such as 2026-03-29T02:30:00Z");
  EXPECT_EQ(ledger("?from=2024-02-01T00:00:00Z&until=2024-01-01T00:00:00Z").status(), 400);
  EXPECT_EQ(ledger("?order=best").errors(), "?order: must be newest or oldest");
  EXPECT_EQ(get("/jobs/a/schedules/x/ledger").status(), 404);
  EXPECT_EQ(get("/jobs/x/schedules/s/ledger").status(), 404);
}

}  // namespace
}  // namespace docket::native
