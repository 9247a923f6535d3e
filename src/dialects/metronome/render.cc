#include "dialects/metronome/render.h"

#include <utility>
#include <variant>

#include "core/json_writer.h"
#include "dialects/metronome/ids.h"

namespace docket::metronome {
namespace {

void write_time_or_null(JsonWriter& json, std::string_view name, Time time) {
  json.key(name);
  if (time == kNever) {
    json.null();
  } else {
    json.value(format_metronome(time));
  }
}

void write_dependencies(JsonWriter& json, const model::JobDefinition& definition) {
  json.key("dependencies").begin_array();
  for (const std::string& parent : definition.dependencies) {
    json.begin_object().member("id", parent).end_object();
  }
  json.end_array();
}

// The members from id to labels, with which JobSpec and JobInfo begin.
void write_head(JsonWriter& json, const model::JobDefinition& definition) {
  json.member("id", definition.id);
  if (definition.description) json.member("description", *definition.description);
  write_dependencies(json, definition);
  json.member("labels", definition.labels);
}

void write_run_spec(JsonWriter& json, const model::JobDefinition& definition) {
  definition.spec.write(json.key("run"));
}

void write_stats(JsonWriter& json, const model::JobStats& stats) {
  json.member("successCount", stats.success_count).member("failureCount", stats.failure_count);
  write_time_or_null(json, "lastSuccessAt", stats.last_success_at);
  write_time_or_null(json, "lastFailureAt", stats.last_failure_at);
}

void write_finished_run(JsonWriter& json, std::string_view job_id,
                        const engine::FinishedRun& finished) {
  json.begin_object().member("id", finished.run.name);
  json.member("createdAt", format_metronome(finished.run.created_at));
  json.member("finishedAt", format_metronome(finished.run.finished_at));
  json.key("tasks").begin_array();
  std::string task_id;
  for (TaskId attempt : finished.attempts) {
    task_id.clear();
    append_task_id(task_id, job_id, finished.run.name, attempt);
    json.value(task_id);
  }
  json.end_array().end_object();
}

// All members up to the schedules.
void begin_job(JsonWriter& json, const model::JobDefinition& definition) {
  json.begin_object();
  write_head(json, definition);
  write_run_spec(json, definition);
  json.key("schedules");
}

void begin_part(JsonWriter& json, const JobPart& part, Time now) {
  begin_job(json, part.job->definition);
  json.begin_array();
  for (const model::Schedule& schedule : part.schedules) write_schedule(json, schedule, now);
  json.end_array();
  if (part.shows_runs) json.key("activeRuns").begin_array();
}

void write_summary(JsonWriter& json, const model::JobStats& stats) {
  json.key("historySummary").begin_object();
  write_stats(json, stats);
  json.end_object();
}

Result<> write_finished_runs(JsonWriter& json, const JobPart& part, bool succeeded,
                             const JobShape& shape) {
  const model::Job& job = *part.job;
  const auto count = succeeded ? part.stats.success_count : part.stats.failure_count;
  json.begin_array();
  if (count > 0) {
    auto runs = shape.reader->history(
        {.job = job.uid, .succeeded = succeeded, .limit = shape.history_limit});
    if (!runs) return fail(runs.error());
    for (const engine::FinishedRun& run : *runs) write_finished_run(json, job.id(), run);
  }
  json.end_array();
  return {};
}

Result<> write_history(JsonWriter& json, const JobPart& part, const JobShape& shape) {
  json.key("history").begin_object();
  write_stats(json, part.stats);
  json.key("successfulFinishedRuns");
  if (auto done = write_finished_runs(json, part, true, shape); !done) return done;
  json.key("failedFinishedRuns");
  if (auto done = write_finished_runs(json, part, false, shape); !done) return done;
  json.end_object();
  return {};
}

void write_task(JsonWriter& json, std::string_view job_id, std::string_view run_name,
                const model::Task& attempt) {
  std::string id;
  append_task_id(id, job_id, run_name, attempt.id);
  const bool started = attempt.started_at != kNever;
  json.begin_object().member("id", id);
  json.member("startedAt", format_metronome(started ? attempt.started_at : attempt.created_at));
  if (attempt.finished_at != kNever) {
    json.member("completedAt", format_metronome(attempt.finished_at));
  }
  json.member("status", task_status(attempt.state)).end_object();
}

}  // namespace

// ---- jobs

void write_job_spec(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                    Time now) {
  const model::JobDefinition& definition = entry.job().definition;
  json.begin_object();
  write_head(json, definition);
  write_schedules(json.key("schedules"), entry, engine, now);
  write_run_spec(json, definition);
  json.end_object();
}

Result<> write_job_part(JsonWriter& json, const JobPart& part, const JobShape& shape) {
  if (part.begins) begin_part(json, part, shape.now);
  if (!part.runs.empty()) json.raw(part.runs);
  if (!part.ends) return {};
  if (part.shows_runs) json.end_array();
  if (shape.embeds.history) {
    if (auto done = write_history(json, part, shape); !done) return done;
  }
  if (shape.embeds.history_summary) write_summary(json, part.stats);
  json.end_object();
  return {};
}

void write_plain_job(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     bool with_summary, Time now) {
  begin_job(json, entry.job().definition);
  write_schedules(json, entry, engine, now);
  if (with_summary) write_summary(json, entry.row.stats);
  json.end_object();
}

void write_definition(JsonWriter& json, const model::JobDefinition& definition) {
  json.begin_object();
  write_head(json, definition);
  write_run_spec(json, definition);
  json.end_object();
}

// ---- schedules

void write_schedule(JsonWriter& json, const model::Schedule& schedule, Time now) {
  const model::ScheduleDefinition& definition = schedule.definition;
  json.begin_object().member("id", definition.id).member("cron", definition.cron.text());
  json.member("timezone", definition.zone.name());
  json.member("startingDeadlineSeconds", definition.starting_deadline_s);
  json.member("concurrencyPolicy", model::name_of(definition.policy));
  json.member("enabled", definition.enabled);
  if (const std::optional<Time> next = engine::Engine::next_run_at(schedule, now)) {
    json.member("nextRunAt", format_metronome(*next));
  }
  json.end_object();
}

void write_schedules(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     Time now) {
  json.begin_array();
  for (const auto& [id, uid] : entry.schedules) {
    write_schedule(json, *engine.schedule(uid), now);
  }
  json.end_array();
}

// ---- runs

void write_run(JsonWriter& json, std::string_view job_id, const model::Task& run, RunStatus status,
               const std::vector<const model::Task*>& attempts, std::string_view reason) {
  json.begin_object().member("id", run.name).member("jobId", job_id);
  json.member("status", name_of(status));
  json.member("createdAt", format_metronome(run.created_at));
  const bool over = status == RunStatus::kSuccess || status == RunStatus::kFailed;
  write_time_or_null(json, "completedAt", over ? run.finished_at : kNever);
  if (!reason.empty()) json.member("message", reason);
  json.key("tasks").begin_array();
  for (const model::Task* attempt : attempts) write_task(json, job_id, run.name, *attempt);
  json.end_array().end_object();
}

void write_run(JsonWriter& json, const engine::Node& run) {
  std::vector<const model::Task*> attempts;
  attempts.reserve(run.children().size());
  for (const auto& [id, child] : run.children()) attempts.push_back(&child->task);
  const RunStatus status =
      run_status(run.task.state, attempts.empty() ? Attempts::kNone : Attempts::kSome,
                 run.recovered ? Origin::kRecovered : Origin::kNew);
  write_run(json, run.job->id(), run.task, status, attempts);
}

}  // namespace docket::metronome
