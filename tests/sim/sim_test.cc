#include <gmock/gmock.h>

#include <cstdio>
#include <random>

#include "sim/simulation.h"

namespace docket::sim {
namespace {

using ::testing::HasSubstr;

TEST(Simulation, FixedSeedsAreClean) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const SeedReport report = run_seed({seed});
    EXPECT_TRUE(report.clean()) << "docket-sim --seed " << seed << ": " << report.violation;
    EXPECT_GT(report.acknowledged, 50U) << "seed " << seed << " tries nothing";
  }
}

// Different worlds every time; the seed is all that is needed to see one again.
TEST(Simulation, AHundredFreshSeedsAreClean) {
  std::random_device device;
  const std::uint64_t first = (std::uint64_t{device()} << 16) + 1000;
  std::printf("docket-sim --seeds 100 --from %lu\n", first);
  for (std::uint64_t seed = first; seed < first + 100; ++seed) {
    const SeedReport report = run_seed({seed});
    EXPECT_TRUE(report.clean()) << "docket-sim --seed " << seed << ": " << report.violation;
  }
}

TEST(Simulation, TheSameSeedGivesTheSameHistory) {
  const SeedReport once = run_seed({7});
  const SeedReport again = run_seed({7});
  EXPECT_EQ(once.hash, again.hash);
  EXPECT_EQ(once.events, again.events);
  EXPECT_NE(once.hash, run_seed({8}).hash);
}

// ---- the rules can tell

// The violation that a damaged world shows within a few seeds.
std::string caught(Mutation mutation) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const SeedReport report = run_seed({seed, false, mutation});
    if (!report.clean()) return report.violation;
  }
  return "nothing";
}

TEST(Mutations, ATokenStartedTwiceIsCaught) {
  EXPECT_THAT(caught(Mutation::kStartsTwice), HasSubstr("no token is started twice"));
}

TEST(Mutations, ALostCommitIsCaught) {
  EXPECT_THAT(caught(Mutation::kLosesCommits), HasSubstr("durable"));
}

TEST(Mutations, TooManyProcessesAreCaught) {
  EXPECT_THAT(caught(Mutation::kRoomierNode), HasSubstr("capacity is never exceeded"));
}

TEST(Mutations, LateRunsAreCaught) {
  EXPECT_THAT(caught(Mutation::kLateRuns), HasSubstr("nothing runs too late"));
}

TEST(Mutations, IgnoredLocksAreCaught) {
  EXPECT_THAT(caught(Mutation::kIgnoresLocks), HasSubstr("lock"));
}

TEST(Mutations, IgnoredConstraintsAreCaught) {
  EXPECT_THAT(caught(Mutation::kAnywhere), HasSubstr("constraints are kept"));
}

TEST(Mutations, LostParametersAreCaught) {
  EXPECT_THAT(caught(Mutation::kForgetful), HasSubstr("a run gets its parameters"));
}

TEST(Mutations, EndlessOvertakingIsCaught) {
  EXPECT_THAT(caught(Mutation::kOvertakes), HasSubstr("overtaken for too long"));
}

TEST(Mutations, ASecondExecutionIsCaught) {
  EXPECT_THAT(caught(Mutation::kRunsAgain), HasSubstr("executed twice"));
}

}  // namespace
}  // namespace docket::sim
