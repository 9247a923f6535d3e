#include "dialects/native/render.h"

#include <fmt/format.h>

#include "core/json_writer.h"
#include "kinds/process/spec.h"

namespace docket::native {
namespace {

void write_totals(JsonWriter& out, const model::JobStats& stats) {
  out.begin_object().member("succeeded", stats.success_count).member("failed", stats.failure_count);
  write_time(out.key("lastSuccessAt"), stats.last_success_at);
  write_time(out.key("lastFailureAt"), stats.last_failure_at);
  out.end_object();
}

void write_schedules(JsonWriter& out, const engine::Engine& engine, const engine::JobEntry& entry,
                     Time now) {
  out.begin_array();
  for (const auto& [id, uid] : entry.schedules) {
    const model::Schedule* schedule = engine.schedule(uid);
    if (schedule) write_schedule(out, engine, entry.id(), *schedule, now);
  }
  out.end_array();
}

// Only a command that exited by itself has an exit code. A lost or refused attempt failed without
// one.
bool has_exit_code(const model::Task& task) {
  if (task.kind != model::TaskKind::kAttempt || task.signal != 0) return false;
  return task.state == model::State::kDone || (is_final(task.state) && task.exit_code != 0);
}

void write_parameters(JsonWriter& out, const model::Task& task) {
  static const model::RunParameters kNone;
  const model::RunParameters& parameters = task.parameters ? *task.parameters : kNone;
  write_text(out.key("description"), parameters.description);
  out.member("env", parameters.env);
  out.key("startedBy");
  if (!parameters.started_by) return void(out.null());
  out.begin_object();
  write_id(out.key("run"), parameters.started_by->run.value);
  out.member("name", parameters.started_by->name);
  out.member("job", parameters.started_by->job_id).end_object();
}

void write_optional(JsonWriter& out, std::string_view name, const std::optional<double>& number) {
  out.key(name);
  number ? out.value(*number) : out.null();
}

// What its reporter set, and how many of its children have ended and been folded into it.
void write_operation(JsonWriter& out, const model::Operation& operation,
                     const model::Tally& tally) {
  out.begin_object().member("module", operation.module);
  write_text(out.key("type"), operation.type);
  write_text(out.key("scope"), operation.scope);
  write_text(out.key("keyspace"), operation.keyspace);
  write_text(out.key("table"), operation.table);
  write_text(out.key("entity"), operation.entity);
  out.member("labels", operation.labels);
  out.member("lane", operation.lane).member("sequence", operation.sequence);
  write_optional(out, "expected", operation.expected);
  out.key("leaseSeconds");
  const std::chrono::duration<double> lease = operation.lease;
  lease.count() > 0 ? out.value(lease.count()) : out.null();
  out.member("abortable", operation.abortable).member("internal", operation.internal);
  out.member("cluster", operation.cluster).member("user", operation.user);
  out.member("local", operation.local);
  out.member("childrenEnded", tally.children).member("childrenFailed", tally.failing);
  out.end_object();
}

void write_progress(JsonWriter& out, const model::Task& task, const LiveProgress& live) {
  const model::Progress progress = model::progress_of(task, live);
  out.begin_object().member("completed", progress.completed).member("total", progress.total);
  write_text(out.key("units"), task.operation ? task.operation->units : std::string_view());
  out.end_object();
}

// What its kind recorded about it.
void write_planned(JsonWriter& out, const model::Planned* planned) {
  write_text(out.key("key"), planned ? planned->key : std::string_view());
  write_text(out.key("word"), planned ? planned->word : std::string_view());
  out.key("facts");
  planned && !planned->facts.empty() ? out.raw(planned->facts) : out.null();
}

void write_task_members(JsonWriter& out, const model::Task& task, std::string_view job_id,
                        const LiveProgress& live) {
  out.member("id", std::to_string(task.id.value)).member("uuid", model::uuid_of(task));
  out.member("kind", model::kind_name(task));
  write_id(out.key("parent"), task.parent.value);
  write_id(out.key("root"), task.root.value);
  write_text(out.key("name"), task.name);
  write_text(out.key("job"), job_id);
  write_id(out.key("jobUid"), task.job.value);
  out.key("jobVersion");
  task.job ? out.value(task.job_version) : out.null();
  out.member("state", model::name_of(task.state)).member("stopping", task.stopping);
  write_text(out.key("trigger"), task.operation ? "" : model::name_of(task.trigger));
  write_id(out.key("scheduleUid"), task.schedule.value);
  write_time(out.key("dueAt"), task.due_at);
  write_time(out.key("createdAt"), task.created_at);
  write_time(out.key("startedAt"), task.started_at);
  write_time(out.key("finishedAt"), task.finished_at);
  write_time(out.key("startDeadline"), task.start_deadline);
  out.key("exitCode");
  has_exit_code(task) ? out.value(task.exit_code) : out.null();
  out.key("signal");
  task.signal != 0 ? out.value(task.signal) : out.null();
  write_text(out.key("message"), model::reason_of(task));
  write_parameters(out, task);
  write_progress(out.key("progress"), task, live);
  out.key("operation");
  task.operation ? write_operation(out, *task.operation, task.tally) : void(out.null());
  write_planned(out, task.planned.get());
}

void write_holder(JsonWriter& out, const engine::Holder& holder) {
  out.begin_object();
  write_id(out.key("run"), holder.run.value);
  write_text(out.key("name"), holder.run_name);
  write_text(out.key("job"), holder.job_id);
  write_optional(out, "amount", holder.amount);
  write_time(out.key("since"), holder.since);
  out.end_object();
}

void write_reason(JsonWriter& out, const engine::Reason& reason) {
  out.begin_object().member("kind", engine::name_of(reason.kind)).member("message", reason.message);
  write_text(out.key("subject"), reason.subject);
  write_optional(out, "needed", reason.needed);
  write_optional(out, "free", reason.free);
  write_optional(out, "missing", reason.missing());
  write_optional(out, "total", reason.total);
  write_time(out.key("at"), reason.at);
  out.key("holders").begin_array();
  for (const engine::Holder& holder : reason.holders) write_holder(out, holder);
  out.end_array().end_object();
}

}  // namespace

void write_time(JsonWriter& out, Time time) {
  time == kNever ? out.null() : out.value(format_rfc3339(time));
}

void write_id(JsonWriter& out, std::uint64_t id) {
  id == 0 ? out.null() : out.value(std::to_string(id));
}

void write_text(JsonWriter& out, std::string_view text) {
  text.empty() ? out.null() : out.value(text);
}

void write_job(JsonWriter& out, const engine::Engine& engine, const engine::JobEntry& entry,
               Time now) {
  const model::Job& job = entry.job();
  const model::JobDefinition& definition = job.definition;
  out.begin_object().member("id", definition.id).member("uid", std::to_string(job.uid.value));
  out.member("version", job.version).key("description");
  definition.description ? out.value(*definition.description) : out.null();
  out.member("labels", definition.labels);
  out.key("dependencies").begin_array();
  for (const std::string& id : definition.dependencies) out.value(id);
  out.end_array();
  out.member("kind", definition.spec.kind);
  definition.spec.write(out.key(definition.spec.kind == kinds::kProcess ? "run" : "spec"));
  write_schedules(out.key("schedules"), engine, entry, now);
  write_time(out.key("createdAt"), job.created_at);
  write_time(out.key("updatedAt"), job.updated_at);
  out.member("activeRuns", entry.active.size());
  const bool never_ran = entry.row.last_run_state == model::State::kCreated;
  write_text(out.key("lastRunState"), never_ran ? "" : model::name_of(entry.row.last_run_state));
  write_totals(out.key("totals"), entry.row.stats);
  out.end_object();
}

void write_schedule(JsonWriter& out, const engine::Engine& engine, const std::string& job_id,
                    const model::Schedule& schedule, Time now) {
  const model::ScheduleDefinition& definition = schedule.definition;
  out.begin_object().member("id", definition.id).member("uid", std::to_string(schedule.uid.value));
  out.member("job", job_id).member("cron", definition.cron.text());
  out.member("timezone", definition.zone.name());
  out.member("startingDeadlineSeconds", definition.starting_deadline_s);
  out.member("concurrencyPolicy", model::name_of(definition.policy));
  out.member("enabled", definition.enabled).member("missed", model::name_of(definition.missed));
  out.member("missedLimit", definition.missed_limit);
  write_time(out.key("createdAt"), schedule.created_at);
  const auto next = schedule.definition.enabled ? engine.next_run_at(schedule, now) : std::nullopt;
  write_time(out.key("nextRunAt"), next.value_or(kNever));
  out.end_object();
}

void write_task(JsonWriter& out, const model::Task& task, std::string_view job_id,
                const LiveProgress& live) {
  out.begin_object();
  write_task_members(out, task, job_id, live);
  out.end_object();
}

void write_run(JsonWriter& out, const model::Task& run, std::string_view job_id,
               std::span<const model::Task> attempts) {
  out.begin_object();
  write_task_members(out, run, job_id, {});
  out.key("attempts").begin_array();
  for (const model::Task& attempt : attempts) write_task(out, attempt, job_id);
  out.end_array().end_object();
}

// As deep as the tree, whose depth its builder has limited.
void write_tree(JsonWriter& out, const TaskTree& tree, std::string_view job_id) {
  out.begin_object();
  write_task_members(out, tree.task, job_id, tree.live);
  out.key("children").begin_array();
  for (const TaskTree& child : tree.children) write_tree(out, child, job_id);
  out.end_array().end_object();
}

namespace {

void write_json(JsonWriter& out, const std::string& text) { out.raw(text.empty() ? "null" : text); }

void write_detail(JsonWriter& out, const model::EventDetail& detail) {
  out.key("detail").begin_object();
  write_text(out.key("resource"), detail.resource);
  out.member("changes", detail.changes);
  write_json(out.key("before"), detail.before);
  write_json(out.key("after"), detail.after);
  write_text(out.key("traceback"), detail.traceback);
  out.end_object();
}

}  // namespace

void write_event(JsonWriter& out, const model::Event& event, std::string_view run_name) {
  const bool of_task = static_cast<bool>(event.task);
  out.begin_object().member("seq", std::to_string(event.seq.value));
  write_time(out.key("at"), event.at);
  out.member("type", model::name_of(event.type));
  write_text(out.key("job"), event.job_id);
  write_id(out.key("jobUid"), event.job.value);
  write_id(out.key("task"), event.task.value);
  write_id(out.key("root"), event.root.value);
  write_text(out.key("runName"), run_name);
  write_text(out.key("before"), of_task ? model::name_of(event.before) : "");
  write_text(out.key("after"), of_task ? model::name_of(event.after) : "");
  write_text(out.key("message"), event.message);
  if (!event.subtype.empty()) out.member("subtype", event.subtype);
  if (event.detail) write_detail(out, *event.detail);
  out.end_object();
}

void write_explanation(JsonWriter& out, const engine::Explanation& explanation) {
  out.begin_object().member("waiting", explanation.waiting);
  write_time(out.key("earliest"), explanation.earliest);
  out.key("reasons").begin_array();
  for (const engine::Reason& reason : explanation.reasons) write_reason(out, reason);
  out.end_array().end_object();
}

}  // namespace docket::native
