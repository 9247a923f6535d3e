#include "dialects/metronome/render.h"

#include <utility>
#include <variant>

#include "dialects/metronome/ids.h"
#include "model/codec.h"

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

// id to labels: what JobSpec and JobInfo begin with.
void write_head(JsonWriter& json, const model::JobDefinition& definition) {
  json.member("id", definition.id);
  if (definition.description) json.member("description", *definition.description);
  write_dependencies(json, definition);
  model::write_string_map(json.key("labels"), definition.labels);
}

void write_run_spec(JsonWriter& json, const model::JobDefinition& definition) {
  model::write_process_spec(json.key("run"), std::get<model::ProcessSpec>(definition.spec));
}

void write_active_runs(JsonWriter& json, const engine::JobEntry& entry) {
  json.key("activeRuns").begin_array();
  for (const auto& [id, run] : entry.active) write_run(json, *run);
  json.end_array();
}

void write_stats(JsonWriter& json, const model::JobStats& stats) {
  json.member("successCount", stats.success_count).member("failureCount", stats.failure_count);
  write_time_or_null(json, "lastSuccessAt", stats.last_success_at);
  write_time_or_null(json, "lastFailureAt", stats.last_failure_at);
}

// "[" is written here, the runs and "]" by fill_gaps.
void write_gap(JsonWriter& json, Draft& draft, const engine::JobEntry& entry, bool succeeded) {
  json.begin_array();
  draft.gaps.push_back({draft.body.size(), entry.job().uid, entry.id(), succeeded});
  json.end_array();
}

void write_history(JsonWriter& json, Draft& draft, const engine::JobEntry& entry) {
  const model::JobStats& stats = entry.row.stats;
  json.key("history").begin_object();
  write_stats(json, stats);
  json.key("successfulFinishedRuns");
  if (stats.success_count > 0) {
    write_gap(json, draft, entry, true);
  } else {
    json.begin_array().end_array();
  }
  json.key("failedFinishedRuns");
  if (stats.failure_count > 0) {
    write_gap(json, draft, entry, false);
  } else {
    json.begin_array().end_array();
  }
  json.end_object();
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

Result<> append_finished_runs(std::string& out, const HistoryGap& gap, engine::Reader& reader,
                              std::uint32_t limit) {
  auto runs = reader.history({.job = gap.job, .succeeded = gap.succeeded, .limit = limit});
  if (!runs) return fail(runs.error());
  JsonWriter json(out);
  for (const engine::FinishedRun& run : *runs) write_finished_run(json, gap.job_id, run);
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

void write_job_info(JsonWriter& json, Draft& draft, const engine::JobEntry& entry,
                    const engine::Engine& engine, const Embeds& embeds, Listing listing, Time now) {
  const model::JobDefinition& definition = entry.job().definition;
  json.begin_object();
  write_head(json, definition);
  write_run_spec(json, definition);
  write_schedules(json.key("schedules"), entry, engine, now);
  if (embeds.active_runs && (listing == Listing::kSingle || !entry.active.empty())) {
    write_active_runs(json, entry);
  }
  if (embeds.history) write_history(json, draft, entry);
  if (embeds.history_summary) {
    json.key("historySummary").begin_object();
    write_stats(json, entry.row.stats);
    json.end_object();
  }
  json.end_object();
}

void write_definition(JsonWriter& json, const model::JobDefinition& definition) {
  json.begin_object();
  write_head(json, definition);
  write_run_spec(json, definition);
  json.end_object();
}

Result<std::string> fill_gaps(Draft draft, engine::Reader& reader, std::uint32_t limit) {
  std::string full;
  std::size_t copied = 0;
  for (const HistoryGap& gap : draft.gaps) {
    full.append(draft.body, copied, gap.offset - copied);
    copied = gap.offset;
    if (auto read = append_finished_runs(full, gap, reader, limit); !read) {
      return fail(read.error());
    }
  }
  full.append(draft.body, copied);
  return full;
}

// ---- schedules

void write_schedule(JsonWriter& json, const model::Schedule& schedule, const engine::Engine& engine,
                    Time now) {
  const model::ScheduleDefinition& definition = schedule.definition;
  json.begin_object().member("id", definition.id).member("cron", definition.cron.text());
  json.member("timezone", definition.zone.name());
  json.member("startingDeadlineSeconds", definition.starting_deadline_s);
  json.member("concurrencyPolicy", model::name_of(definition.policy));
  json.member("enabled", definition.enabled);
  if (const std::optional<Time> next = engine.next_run_at(schedule, now)) {
    json.member("nextRunAt", format_metronome(*next));
  }
  json.end_object();
}

void write_schedules(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     Time now) {
  json.begin_array();
  for (const auto& [id, uid] : entry.schedules) {
    write_schedule(json, *engine.schedule(uid), engine, now);
  }
  json.end_array();
}

// ---- runs

void write_run(JsonWriter& json, std::string_view job_id, const model::Task& run, RunStatus status,
               const std::vector<const model::Task*>& attempts) {
  json.begin_object().member("id", run.name).member("jobId", job_id);
  json.member("status", name_of(status));
  json.member("createdAt", format_metronome(run.created_at));
  const bool over = status == RunStatus::kSuccess || status == RunStatus::kFailed;
  write_time_or_null(json, "completedAt", over ? run.finished_at : kNever);
  json.key("tasks").begin_array();
  for (const model::Task* attempt : attempts) write_task(json, job_id, run.name, *attempt);
  json.end_array().end_object();
}

void write_run(JsonWriter& json, const engine::Node& run) {
  std::vector<const model::Task*> attempts;
  attempts.reserve(run.children.size());
  for (const auto& child : run.children) attempts.push_back(&child->task);
  const RunStatus status =
      run_status(run.task.state, attempts.empty() ? Attempts::kNone : Attempts::kSome,
                 run.recovered ? Origin::kRecovered : Origin::kNew);
  write_run(json, run.job->id(), run.task, status, attempts);
}

}  // namespace docket::metronome
