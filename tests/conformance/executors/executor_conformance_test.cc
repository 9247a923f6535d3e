// What every executor promises (engine/executor.h). A new one adds its bench to benches.cc.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "conformance/executors/bench.h"

namespace docket::conformance {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;

class ExecutorConformance : public ::testing::TestWithParam<ExecutorUnderTest> {
 protected:
  void start_ending(TaskId token, int code = 0) {
    bench->executor().start(token, bench->ending(token, code));
  }
  void start_lasting(TaskId token) {
    bench->executor().start(token, bench->lasting(token));
    EXPECT_TRUE(bench->until([&] { return said(token, AttemptPhase::kRunning); }));
  }
  bool said(TaskId token, AttemptPhase phase) const {
    const auto found = bench->reports.find(token);
    return found != bench->reports.end() &&
           std::ranges::any_of(found->second, [phase](const auto& r) { return r.phase == phase; });
  }
  AttemptReport end_of(TaskId token) {
    EXPECT_TRUE(bench->until([&] { return said(token, AttemptPhase::kExited); }));
    return bench->reports[token].empty() ? AttemptReport{} : bench->reports[token].back();
  }
  std::vector<AttemptReport> find(const std::vector<TaskId>& tokens) {
    std::vector<engine::AttemptQuery> sought;
    for (const TaskId token : tokens) sought.push_back({token});
    std::optional<std::vector<AttemptReport>> found;
    bench->executor().find(std::move(sought), [&](Result<std::vector<AttemptReport>> reports) {
      ASSERT_TRUE(reports);
      found = std::move(*reports);
    });
    EXPECT_FALSE(found) << "nothing is called back from within a call";
    EXPECT_TRUE(bench->until([&] { return found.has_value(); }));
    return found.value_or(std::vector<AttemptReport>(tokens.size()));
  }
  AttemptReport find(TaskId token) { return find(std::vector{token}).front(); }

  const TaskId a{1000}, b{1001}, c{1002};
  std::unique_ptr<ExecutorBench> bench = GetParam().make();
};

TEST_P(ExecutorConformance, AnEndIsReportedWithItsCode) {
  start_ending(a);
  start_ending(b, 3);
  EXPECT_TRUE(bench->reports.empty()) << "nothing is called back from within a call";
  const AttemptReport well = end_of(a);
  EXPECT_TRUE(well.succeeded()) << well.message;
  EXPECT_NE(well.started_at, kNever);
  EXPECT_GE(well.finished_at, well.started_at);
  EXPECT_EQ(end_of(b).exit_code, bench->reported_code(3));
  EXPECT_FALSE(end_of(b).succeeded());
}

TEST_P(ExecutorConformance, AnAttemptStartedTwiceRunsOnce) {
  start_lasting(a);
  bench->executor().start(a, bench->lasting(a));
  start_ending(b);
  end_of(b);
  bench->executor().start(b, bench->ending(b, 0));
  start_ending(c);
  end_of(c);
  EXPECT_EQ(bench->begun(a), 1);
  EXPECT_EQ(bench->begun(b), 1);
  EXPECT_EQ(find(b).phase, AttemptPhase::kExited);
}

TEST_P(ExecutorConformance, AnEndIsKeptUntilItIsForgotten) {
  start_ending(a, 3);
  end_of(a);
  for (int i = 0; i < 2; ++i) {
    const AttemptReport found = find(a);
    EXPECT_EQ(found.phase, AttemptPhase::kExited);
    EXPECT_EQ(found.exit_code, bench->reported_code(3));
  }
  bench->executor().forget({a});
  start_ending(b);
  end_of(b);
}

TEST_P(ExecutorConformance, FindAnswersForEachInOrder) {
  start_lasting(a);
  start_ending(b, 3);
  end_of(b);
  const auto reports = find({b, c, a});
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0].token, b);
  EXPECT_EQ(reports[0].phase, AttemptPhase::kExited);
  EXPECT_EQ(reports[1].token, c);
  EXPECT_EQ(reports[1].phase, AttemptPhase::kUnknown) << "it was never started";
  EXPECT_EQ(reports[2].token, a);
  EXPECT_EQ(reports[2].phase, AttemptPhase::kRunning);
}

TEST_P(ExecutorConformance, AStoppedAttemptEnds) {
  start_lasting(a);
  bench->executor().stop(a, Duration{});
  bench->executor().stop(a, Duration{});
  EXPECT_NE(end_of(a).signal, 0);
  EXPECT_EQ(end_of(a).result, "") << "it has no result";
  bench->executor().stop(a, Duration{});  // it has ended
  bench->executor().stop(b, Duration{});  // it is unknown
  start_ending(c);
  EXPECT_TRUE(end_of(c).succeeded());
  EXPECT_FALSE(said(b, AttemptPhase::kExited));
}

TEST_P(ExecutorConformance, AStopRightAfterTheStartIsNotLost) {
  bench->executor().start(a, bench->lasting(a));
  bench->executor().stop(a, Duration{});
  EXPECT_NE(end_of(a).signal, 0);
}

TEST_P(ExecutorConformance, WorkOfAnotherExecutorEndsWithAMessage) {
  bench->executor().start(a, engine::payload_of(std::string("what is this?")));
  const AttemptReport end = end_of(a);
  EXPECT_FALSE(end.succeeded());
  EXPECT_FALSE(end.message.empty());
}

TEST_P(ExecutorConformance, ReportsWithMoreThanAPhaseHaveRisingNumbers) {
  start_ending(a);
  end_of(a);
  std::uint64_t last = 0;
  for (const AttemptReport& report : bench->reports[a]) {
    const bool says_more = !report.notes.empty() || report.progress || !report.facts.empty();
    EXPECT_TRUE(!says_more || report.seq > last) << report.seq;
    last = std::max(last, report.seq);
  }
}

TEST_P(ExecutorConformance, FindIsRightAfterTheServerDied) {
  start_lasting(a);
  start_ending(b, 3);
  end_of(b);
  bench->restart_server();
  const auto reports = find({a, b, c});
  EXPECT_EQ(reports[2].phase, AttemptPhase::kUnknown);
  if (!bench->outlives_server()) {
    EXPECT_EQ(reports[0].phase, AttemptPhase::kUnknown) << "it ended with its server";
    EXPECT_EQ(reports[1].phase, AttemptPhase::kUnknown);
    return;
  }
  EXPECT_EQ(reports[0].phase, AttemptPhase::kRunning);
  EXPECT_EQ(reports[1].exit_code, 3);
  bench->executor().start(a, bench->lasting(a));  // as a server that has lost its memory would
  start_ending(c);
  end_of(c);
  EXPECT_EQ(bench->begun(a), 1);
  bench->executor().stop(a, Duration{});
  EXPECT_NE(end_of(a).signal, 0);
}

TEST_P(ExecutorConformance, AnUnknownAttemptMayStart) {
  bench->restart_server();
  EXPECT_EQ(find(a).phase, AttemptPhase::kUnknown);
  start_ending(a);
  EXPECT_TRUE(end_of(a).succeeded());
  EXPECT_EQ(bench->begun(a), 1);
}

INSTANTIATE_TEST_SUITE_P(Executors, ExecutorConformance, ::testing::ValuesIn(executors()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace docket::conformance
