#include "dialects/scylla/task_view.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace docket::scylla {
namespace {

using model::State;

engine::TaskRow operation(State state, const std::string& message = {}) {
  engine::TaskRow row;
  row.task.id = TaskId{7};
  row.task.kind = model::TaskKind::kOperation;
  row.task.state = state;
  row.task.message = message;
  row.task.operation = std::make_shared<model::Operation>();
  return row;
}

// scylla-tasks.md section 4: five names for docket's seven states, none of them `aborted`.
TEST(TaskView, EveryStateHasANameAndAnError) {
  struct Expected {
    State state;
    const char* word;
    const char* error;
  };
  for (const Expected& expected : {Expected{State::kCreated, "created", ""},
                                   {State::kQueued, "created", ""},
                                   {State::kRunning, "running", ""},
                                   {State::kPaused, "suspended", ""},
                                   {State::kDone, "done", ""},
                                   {State::kFailed, "failed", "why"},
                                   {State::kAborted, "failed", "why"}}) {
    const engine::TaskRow row = operation(expected.state, "why");
    const TaskView view(row, {});
    EXPECT_EQ(view.state, expected.word);
    EXPECT_EQ(view.error, expected.error) << expected.word;
  }
}

TEST(TaskView, ATaskAbortedWithoutAReasonSaysSo) {
  EXPECT_EQ(TaskView(operation(State::kAborted), {}).error,
            "seastar::abort_requested_exception (abort requested)");
}

TEST(TaskView, AStoppedRunHasThisApisMessage) {
  engine::TaskRow row;
  row.task.kind = model::TaskKind::kRun;
  row.task.state = State::kAborted;
  row.task.message = "Stopped";
  EXPECT_EQ(TaskView(row, {}).error, "seastar::abort_requested_exception (abort requested)");
  row.task.kind = model::TaskKind::kAttempt;
  row.task.message = "Stopped before the command was started";
  EXPECT_EQ(TaskView(row, {}).error, "seastar::abort_requested_exception (abort requested)");
}

// A process ends with an exit code or with the signal that killed it.
TEST(TaskView, TheErrorOfAnAttemptSaysHowItEnded) {
  engine::TaskRow row;
  row.task.kind = model::TaskKind::kAttempt;
  row.task.state = State::kFailed;
  row.task.exit_code = 3;
  EXPECT_EQ(TaskView(row, {}).error, "exit code 3");
  row.task.signal = 9;
  EXPECT_EQ(TaskView(row, {}).error, "killed by signal 9 (SIGKILL)");
  row.task.message = "The node is gone";
  EXPECT_EQ(TaskView(row, {}).error, "The node is gone");
}

}  // namespace
}  // namespace docket::scylla
