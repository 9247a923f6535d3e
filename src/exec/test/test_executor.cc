#include "exec/test/test_executor.h"

#include <csignal>
#include <utility>

namespace docket::test_executor {

using engine::AttemptPhase;
using engine::AttemptReport;

namespace {

model::NoteText part_of(std::uint32_t part, std::uint32_t parts) {
  const auto count = [](std::uint32_t done) { return R"({"parts":)" + std::to_string(done) + "}"; };
  return {.message = "part " + std::to_string(part) + " of " + std::to_string(parts),
          .subtype = "change/part",
          .detail = std::make_shared<const model::EventDetail>(
              model::EventDetail{.resource = "part " + std::to_string(part),
                                 .changes = true,
                                 .before = count(part - 1),
                                 .after = count(part),
                                 .traceback = {}})};
}

}  // namespace

void TestExecutor::attach(engine::ExecutorListener* listener, std::uint64_t) {
  listener_ = listener;
}

void TestExecutor::later(Duration delay, TaskId token, void (TestExecutor::*what)(Attempt&)) {
  after_(delay, [this, alive = alive_, token, what] {
    if (!*alive) return;
    const auto found = attempts_.find(token);
    if (found != attempts_.end()) (this->*what)(found->second);
  });
}

void TestExecutor::start(TaskId token, const engine::PayloadPtr& payload) {
  const auto [found, is_new] = attempts_.try_emplace(token);
  if (!is_new) return later({}, token, &TestExecutor::tell);
  Attempt& attempt = found->second;
  attempt.report = {.token = token, .phase = AttemptPhase::kStarting};
  if (const auto* work = engine::get_if<TestWork>(payload)) {
    attempt.work = *work;
    return later({}, token, &TestExecutor::begin);
  }
  attempt.work.exit_code = 126;
  attempt.report.message = "this executor runs work of tests only";
  later({}, token, &TestExecutor::end);
}

void TestExecutor::begin(Attempt& attempt) {
  if (attempt.report.phase != AttemptPhase::kStarting) return;
  attempt.report.phase = AttemptPhase::kRunning;
  attempt.report.started_at = clock_.now();
  tell(attempt);
  const Duration step = attempt.work.takes / (attempt.work.parts + 1);
  later(step, attempt.report.token, &TestExecutor::go_on);
}

void TestExecutor::go_on(Attempt& attempt) {
  if (attempt.report.phase != AttemptPhase::kRunning) return;
  const TestWork& work = attempt.work;
  if (attempt.told == work.parts) return end(attempt);
  AttemptReport& report = attempt.report;
  ++attempt.told;
  ++report.seq;
  report.progress =
      model::Progress{static_cast<double>(attempt.told), static_cast<double>(work.parts)};
  report.notes = {part_of(attempt.told, work.parts)};
  if (attempt.told == work.parts) report.facts = work.facts;
  tell(attempt);
  later(work.takes / (work.parts + 1), report.token, &TestExecutor::go_on);
}

void TestExecutor::end(Attempt& attempt) {
  AttemptReport& report = attempt.report;
  if (report.phase == AttemptPhase::kExited) return;
  report.phase = AttemptPhase::kExited;
  report.exit_code = attempt.work.exit_code;
  report.finished_at = clock_.now();
  report.notes.clear();
  report.facts = attempt.work.facts;
  report.result = attempt.work.result;
  if (!report.facts.empty() || !report.result.empty() || report.seq > 0) ++report.seq;
  tell(attempt);
}

void TestExecutor::end_by_signal(Attempt& attempt) {
  if (attempt.report.phase == AttemptPhase::kExited) return;
  attempt.report.signal = SIGTERM;
  attempt.work = {};  // it has no result
  end(attempt);
}

void TestExecutor::tell(Attempt& attempt) {
  if (!listener_) return;
  const AttemptReport copy = attempt.report;  // the listener may forget the attempt
  listener_->on_attempt(copy);
}

void TestExecutor::stop(TaskId token, std::optional<Duration>) {
  later({}, token, &TestExecutor::end_by_signal);
}

void TestExecutor::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) attempts_.erase(token);
}

void TestExecutor::find(std::vector<engine::AttemptQuery> attempts,
                        std::function<void(Result<std::vector<AttemptReport>>)> done) {
  std::vector<AttemptReport> reports;
  for (const engine::AttemptQuery& each : attempts) {
    const auto found = attempts_.find(each.token);
    reports.push_back(found == attempts_.end() ? AttemptReport{.token = each.token}
                                               : found->second.report);
  }
  after_({}, [alive = alive_, done = std::move(done), reports = std::move(reports)] {
    if (*alive) done(reports);
  });
}

}  // namespace docket::test_executor
