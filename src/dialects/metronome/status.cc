#include "dialects/metronome/status.h"

#include <array>
#include <cstddef>

namespace docket::metronome {
namespace {

struct Row {
  RunStatus waiting;    // no attempt yet
  RunStatus recovered;  // no attempt yet, and the server was restarted
  RunStatus attempted;  // an attempt exists: the run stays ACTIVE between attempts
  const char* task;
};

using enum RunStatus;

// In the order of model::State. A created attempt is on its way to the executor: Mesos' staging.
constexpr std::array<Row, model::kStateCount> kRows{{
    {kInitial, kStarting, kActive, "TASK_STAGING"},   // created
    {kInitial, kStarting, kActive, "TASK_STAGING"},   // queued
    {kInitial, kStarting, kActive, "TASK_RUNNING"},   // running
    {kInitial, kStarting, kActive, "TASK_RUNNING"},   // paused
    {kSuccess, kSuccess, kSuccess, "TASK_FINISHED"},  // done
    {kFailed, kFailed, kFailed, "TASK_FAILED"},       // failed
    {kFailed, kFailed, kFailed, "TASK_KILLED"},       // aborted
}};

const Row& row_of(model::State state) { return kRows[static_cast<std::size_t>(state)]; }

}  // namespace

const char* name_of(RunStatus status) {
  constexpr std::array kNames{"INITIAL", "STARTING", "ACTIVE", "SUCCESS", "FAILED"};
  return kNames[static_cast<std::size_t>(status)];
}

RunStatus run_status(model::State state, Attempts attempts, Origin origin) {
  const Row& row = row_of(state);
  if (attempts == Attempts::kSome) return row.attempted;
  return origin == Origin::kRecovered ? row.recovered : row.waiting;
}

const char* task_status(model::State attempt) { return row_of(attempt).task; }

}  // namespace docket::metronome
