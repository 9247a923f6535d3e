#include "dialects/metronome/status.h"

#include <gtest/gtest.h>

namespace docket::metronome {
namespace {

using model::State;
using enum RunStatus;

struct Expectation {
  State state;
  RunStatus waiting;
  RunStatus recovered;
  RunStatus attempted;
  const char* task;
};

// metronome.md section 7, for every state and every kind of run.
constexpr Expectation kExpectations[] = {
    {State::kCreated, kInitial, kStarting, kActive, "TASK_STAGING"},
    {State::kQueued, kInitial, kStarting, kActive, "TASK_STAGING"},
    {State::kRunning, kInitial, kStarting, kActive, "TASK_RUNNING"},
    {State::kPaused, kInitial, kStarting, kActive, "TASK_RUNNING"},
    {State::kDone, kSuccess, kSuccess, kSuccess, "TASK_FINISHED"},
    {State::kFailed, kFailed, kFailed, kFailed, "TASK_FAILED"},
    {State::kAborted, kFailed, kFailed, kFailed, "TASK_KILLED"},
};

TEST(Status, EveryStateHasItsNames) {
  ASSERT_EQ(std::size(kExpectations), std::size_t{model::kStateCount});
  for (const Expectation& expected : kExpectations) {
    SCOPED_TRACE(model::name_of(expected.state));
    EXPECT_EQ(run_status(expected.state, Attempts::kNone, Origin::kNew), expected.waiting);
    EXPECT_EQ(run_status(expected.state, Attempts::kNone, Origin::kRecovered), expected.recovered);
    EXPECT_EQ(run_status(expected.state, Attempts::kSome, Origin::kNew), expected.attempted);
    EXPECT_EQ(run_status(expected.state, Attempts::kSome, Origin::kRecovered), expected.attempted);
    EXPECT_STREQ(task_status(expected.state), expected.task);
  }
}

// A run is shown with a final status exactly when its state is final.
TEST(Status, FinalStatesAreTheFinalStatuses) {
  for (int i = 0; i < model::kStateCount; ++i) {
    const auto state = static_cast<State>(i);
    for (Attempts attempts : {Attempts::kNone, Attempts::kSome}) {
      const RunStatus status = run_status(state, attempts, Origin::kNew);
      EXPECT_EQ(status == kSuccess || status == kFailed, model::is_final(state));
    }
  }
}

// Every change that the engine may make shows as no change or as a transition of section 7.
TEST(Status, TransitionsAreThoseOfTheReference) {
  for (int from = 0; from < model::kStateCount; ++from) {
    for (int to = 0; to < model::kStateCount; ++to) {
      if (!model::may_move(static_cast<State>(from), static_cast<State>(to))) continue;
      const auto before = run_status(static_cast<State>(from), Attempts::kSome, Origin::kNew);
      const auto after = run_status(static_cast<State>(to), Attempts::kSome, Origin::kNew);
      EXPECT_LE(before, after);
      EXPECT_NE(before, kSuccess);
      EXPECT_NE(before, kFailed);
    }
  }
}

TEST(Status, Names) {
  EXPECT_STREQ(name_of(kInitial), "INITIAL");
  EXPECT_STREQ(name_of(kStarting), "STARTING");
  EXPECT_STREQ(name_of(kActive), "ACTIVE");
  EXPECT_STREQ(name_of(kSuccess), "SUCCESS");
  EXPECT_STREQ(name_of(kFailed), "FAILED");
}

}  // namespace
}  // namespace docket::metronome
