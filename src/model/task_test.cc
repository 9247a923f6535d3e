#include "model/task.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace docket::model {
namespace {

constexpr Time kNow{Duration{1'000'000}};

std::vector<State> all_states() {
  std::vector<State> states;
  for (int i = 0; i < kStateCount; ++i) states.push_back(static_cast<State>(i));
  return states;
}

TEST(State, TheTableMatchesTheDiagram) {
  using enum State;
  const std::set<std::pair<State, State>> drawn{
      {kCreated, kQueued}, {kCreated, kRunning}, {kCreated, kFailed},  {kCreated, kAborted},
      {kQueued, kRunning}, {kQueued, kFailed},   {kQueued, kAborted},  {kRunning, kPaused},
      {kRunning, kDone},   {kRunning, kFailed},  {kRunning, kAborted}, {kPaused, kRunning},
      {kPaused, kFailed},  {kPaused, kAborted}};
  for (State from : all_states()) {
    for (State to : all_states()) {
      EXPECT_EQ(may_move(from, to), drawn.contains({from, to})) << name_of(from) << name_of(to);
    }
  }
}

TEST(State, NamesRoundTrip) {
  for (State state : all_states()) EXPECT_EQ(state_of(name_of(state)), state);
  EXPECT_EQ(state_of("nonsense"), std::nullopt);
}

TEST(Move, SetsInstantsOnceAndOnlyWhenAllowed) {
  Task task{.id = TaskId{7}};
  ASSERT_TRUE(move(task, State::kCreated, State::kRunning, kNow));
  EXPECT_EQ(task.started_at, kNow);
  ASSERT_TRUE(move(task, State::kRunning, State::kPaused, kNow + Duration{1}));
  ASSERT_TRUE(move(task, State::kPaused, State::kRunning, kNow + Duration{2}));
  EXPECT_EQ(task.started_at, kNow);
  ASSERT_TRUE(move(task, State::kRunning, State::kDone, kNow + Duration{3}));
  EXPECT_EQ(task.finished_at, kNow + Duration{3});
}

TEST(Move, RefusesAnythingElseAndChangesNothing) {
  Task task{.id = TaskId{7}, .state = State::kQueued};
  const auto stale = move(task, State::kCreated, State::kRunning, kNow);
  EXPECT_EQ(stale.error().kind, ErrorKind::kConflict);
  const auto forbidden = move(task, State::kQueued, State::kDone, kNow);
  EXPECT_EQ(forbidden.error().message, "task 7 is queued: cannot go from queued to done");
  EXPECT_EQ(task.state, State::kQueued);
  EXPECT_EQ(task.finished_at, kNever);
}

TEST(Uuid, NumbersRoundTrip) {
  for (std::uint64_t number : {1UL, 255UL, 0x1234'5678'9abcUL, 0x7fff'ffff'ffff'ffffUL}) {
    const std::string uuid = uuid_of(TaskId{number});
    EXPECT_EQ(uuid.size(), 36U);
    EXPECT_EQ(task_of_uuid(uuid), TaskId{number}) << uuid;
  }
  EXPECT_EQ(task_of_uuid("00000000-0000-0000-0000-000000000001"), std::nullopt);
  EXPECT_EQ(task_of_uuid("d0c4e700-0000-8000-8000-00000000000x"), std::nullopt);
}

}  // namespace
}  // namespace docket::model
