#pragma once

// Request bodies of reporters, which are programs that own tasks. Every complaint is in the error
// (kInvalid), and nothing has changed.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dialects/native/task_ref.h"
#include "engine/operations.h"
#include "model/operation.h"

namespace docket::native {

struct NewTask {
  model::Operation what;
  std::optional<TaskRef> parent;
  bool begins = true;
  Duration began_ago{};
  engine::Report progress;
};
Result<NewTask> read_new_task(std::string_view text);

// {"completed":1,"total":2}, both optional; an empty body is an empty object.
Result<engine::Report> read_report(std::string_view text);

struct ReportOf {
  std::string name;  // of the task, as the client wrote it
  TaskRef task;
  engine::Report report;
};
inline constexpr std::size_t kReportsMax = 1000;  // per request
Result<std::vector<ReportOf>> read_reports(std::string_view text);

// The text of {"message":"..."}, for a note; it must not be empty.
Result<std::string> read_note(std::string_view text);
// {"error":"...","endedSecondsAgo":1.5}, both optional; an empty body is an empty object.
struct Finish {
  std::string error;  // empty: none
  Duration ended_ago{};
};
Result<Finish> read_finish(std::string_view text);

}  // namespace docket::native
