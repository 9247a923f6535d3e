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

// Different worlds every time; the seed is enough to see one again.
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

// ---- the rules find what is wrong

// The violation that a world with this mutation shows within a few seeds.
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

TEST(Mutations, ARunnerThatForgetsIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsClaims),
              testing::AnyOf(HasSubstr("twice"), HasSubstr("capacity is never exceeded")));
}

TEST(Mutations, AWrongOutcomeIsCaught) {
  EXPECT_THAT(caught(Mutation::kMisreports), HasSubstr("what its process did"));
}

TEST(Mutations, MessagesThatAreNotRepeatedAreMissed) {
  EXPECT_THAT(caught(Mutation::kSaysOnce), HasSubstr("every run ends"));
}

TEST(Mutations, ARestartOfLostAttemptsIsCaught) {
  EXPECT_THAT(caught(Mutation::kRestartsLost),
              testing::AnyOf(HasSubstr("executed twice"), HasSubstr("more attempts than it may")));
}

TEST(Mutations, ALostCommitIsCaught) {
  EXPECT_THAT(caught(Mutation::kLosesCommits),
              ::testing::ContainsRegex("durable|the states of a task form a path"));
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

TEST(Mutations, ARunThatEndsBeforeItsStepsIsCaught) {
  EXPECT_THAT(caught(Mutation::kEndsEarly), HasSubstr("a run is done when all of its steps are"));
}

TEST(Mutations, AKindWithAMemoryOfItsOwnIsCaught) {
  EXPECT_THAT(caught(Mutation::kPlansAtWhim), HasSubstr("a plan made twice is the same"));
}

TEST(Mutations, TooManyStepsAtWorkAreCaught) {
  EXPECT_THAT(caught(Mutation::kOverworks), HasSubstr("no more steps run than are allowed"));
}

TEST(Mutations, StepsThatShareALockAreCaught) {
  EXPECT_THAT(caught(Mutation::kStepsTogether),
              ::testing::ContainsRegex("what runs holds its locks|a lock has one holder"));
}

TEST(Mutations, ARunThatBeginsTooEarlyIsCaught) {
  EXPECT_THAT(caught(Mutation::kBeginsEarly), HasSubstr("no run begins before its start time"));
}

TEST(Mutations, StepsThatAreForgottenAreCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsSteps), HasSubstr("a step's state agrees with its events"));
}

TEST(Mutations, ReportsThatAreTakenTwiceAreCaught) {
  EXPECT_THAT(caught(Mutation::kRenumbers), HasSubstr("what an executor reports is taken once"));
}

TEST(Mutations, TwoChoresAtATimeAreCaught) {
  EXPECT_THAT(caught(Mutation::kCaresTogether), HasSubstr("one chore is under way at a time"));
}

TEST(Mutations, ChoresThatOnlyPretendAreCaught) {
  EXPECT_THAT(caught(Mutation::kPretends), HasSubstr("a chore's file exists when it is done"));
}

TEST(Mutations, EndlessOvertakingIsCaught) {
  EXPECT_THAT(caught(Mutation::kOvertakes), HasSubstr("overtaken for too long"));
}

TEST(Mutations, AnEarlySweepIsCaught) {
  EXPECT_THAT(caught(Mutation::kSweepsEarly), HasSubstr("before its retention is over"));
}

TEST(Mutations, AnEngineThatTrustsTheWallClockIsCaught) {
  EXPECT_THAT(caught(Mutation::kBlindClock),
              ::testing::ContainsRegex("before its retention is over|is not lost|fails|its time|"
                                       "longer than asked|overtaken for too long"));
}

TEST(Mutations, ASecondExecutionIsCaught) {
  EXPECT_THAT(caught(Mutation::kRunsAgain), HasSubstr("executed twice"));
}

// ---- operations

TEST(Mutations, ALostLeaseIsCaught) {
  EXPECT_THAT(caught(Mutation::kDeaf), HasSubstr("an operation that is heard from is not lost"));
}

TEST(Mutations, ALeaseThatNeverRunsOutIsCaught) {
  EXPECT_THAT(caught(Mutation::kUndying), HasSubstr("an operation that is not heard from fails"));
}

TEST(Mutations, AWaiterCalledTooEarlyIsCaught) {
  EXPECT_THAT(caught(Mutation::kHasty), HasSubstr("a waiter is told of durable ends only"));
}

TEST(Mutations, AForgottenWaiterIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsWaiters), HasSubstr("nobody waits"));
}

TEST(Mutations, AnOperationThatStaysIsCaught) {
  EXPECT_THAT(caught(Mutation::kAbandons), HasSubstr("operations"));
}

TEST(Mutations, ANumberThatIsUsedAgainIsCaught) {
  EXPECT_THAT(caught(Mutation::kSameNumbers), HasSubstr("numbers of a lane rise by one"));
}

TEST(Mutations, AChildFoldedTwiceIsCaught) {
  EXPECT_THAT(caught(Mutation::kCountsTwice),
              HasSubstr("a tally is the sum of the ended children"));
}

TEST(Mutations, LostProgressIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsFigures),
              ::testing::ContainsRegex("figures of a reporter|acknowledged progress"));
}

TEST(Mutations, AnAbortThatReachesTheRootOnlyIsCaught) {
  EXPECT_THAT(caught(Mutation::kAbortsRootsOnly),
              HasSubstr("an operation that was asked to stop is not done"));
}

TEST(Mutations, WorkBelowAnAbortIsCaught) {
  EXPECT_THAT(caught(Mutation::kBeginsBelowAborts),
              HasSubstr("what is created below an abort fails at once"));
}

TEST(Mutations, ALossThatSparesTasksBelowIsCaught) {
  EXPECT_THAT(caught(Mutation::kSparesTheLost),
              HasSubstr("what is below a lost operation is lost"));
}

TEST(Mutations, AParentThatIsNotUpdatedIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsParents),
              HasSubstr("a parent is updated when children end"));
}

TEST(Mutations, ALostEndIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsEnds), HasSubstr("an acknowledged end is durable"));
}

TEST(Mutations, ALostNoteIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsNotes), HasSubstr("an acknowledged note is durable"));
}

TEST(Mutations, LostModulesAreCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsLanes), HasSubstr("a restart changes nothing"));
}

TEST(Mutations, ALaneThatCountsLateIsCaught) {
  EXPECT_THAT(caught(Mutation::kCountsLanesLate), HasSubstr("a lane's counter is its last number"));
}

TEST(Mutations, AnIgnoredDrainIsCaught) {
  EXPECT_THAT(caught(Mutation::kForgetsDrains), HasSubstr("a drain forgets all that had ended"));
}

TEST(Mutations, AListingThatNeverEndsIsCaught) {
  EXPECT_THAT(caught(Mutation::kListsForEver), HasSubstr("what has ended is listed for its time"));
}

}  // namespace
}  // namespace docket::sim
