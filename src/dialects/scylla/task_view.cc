#include "dialects/scylla/task_view.h"

#include "core/json_writer.h"
#include "core/time.h"

namespace docket::scylla {
namespace {

using model::State;

constexpr std::string_view kAborted = "seastar::abort_requested_exception (abort requested)";

// This API has no aborted state: an aborted task is shown as failed (section 4), and a waiting one
// as not begun.
std::string_view word_of(State state) {
  switch (state) {
    case State::kCreated:
    case State::kQueued:
      return "created";
    case State::kRunning:
      return "running";
    case State::kPaused:
      return "suspended";
    case State::kDone:
      return "done";
    case State::kFailed:
    case State::kAborted:
      break;
  }
  return "failed";
}

// A reporter that was asked to stop may say why it failed. docket's own message for a run or an
// attempt that was stopped is not used by this API.
std::string error_of(const model::Task& task) {
  const bool reported = task.operation && !task.job && !task.message.empty();
  if (task.state == State::kAborted && !reported) return std::string(kAborted);
  if (task.state != State::kAborted && task.state != State::kFailed) return {};
  return model::reason_of(task);
}

}  // namespace

TaskView::TaskView(const engine::TaskRow& row, std::string_view parent_uuid)
    : uuid(model::uuid_of(row.task)), state(word_of(row.task.state)), error(error_of(row.task)) {
  const model::Task& task = row.task;
  started_at = task.started_at;
  finished_at = task.finished_at;
  parent = parent_uuid.empty() ? "none" : parent_uuid;
  if (const model::Operation* operation = task.operation.get()) {
    type = operation->type;
    scope = operation->scope;
    keyspace = operation->keyspace;
    table = operation->table;
    entity = operation->entity;
    units = operation->units;
    abortable = operation->abortable;
    if (operation->cluster) {
      kind = "cluster";  // without a shard or a number
    } else {
      sequence = operation->sequence;
      shard = operation->lane;
    }
    return;
  }
  const bool is_run = task.kind == model::TaskKind::kRun;
  type = is_run ? "run" : "attempt";
  scope = type;
  if (!row.job_id.empty()) keyspace = row.job_kind;  // none for an action
  table = row.job_id;
  entity = task.name;
  sequence = task.root.value;
  abortable = is_run;
}

namespace {

void write_labels(JsonWriter& json, const TaskView& view) {
  json.member("keyspace", view.keyspace).member("table", view.table).member("entity", view.entity);
}

}  // namespace

// Times not yet known are shown as the epoch (kNever), which clients compare with.
void write_stats(JsonWriter& json, const TaskView& view) {
  json.begin_object().member("task_id", view.uuid).member("state", view.state);
  json.member("type", view.type).member("kind", view.kind).member("scope", view.scope);
  write_labels(json, view);
  json.member("sequence_number", view.sequence).member("shard", view.shard);
  json.member("start_time", format_seconds(view.started_at));
  json.member("end_time", format_seconds(view.finished_at)).end_object();
}

void begin_status(JsonWriter& json, const TaskView& view, const model::Progress& progress) {
  json.begin_object().member("id", view.uuid).member("type", view.type);
  json.member("kind", view.kind).member("scope", view.scope).member("state", view.state);
  json.member("is_abortable", view.abortable);
  json.member("start_time", format_seconds(view.started_at));
  json.member("end_time", format_seconds(view.finished_at));
  json.member("error", view.error).member("parent_id", view.parent);
  json.member("sequence_number", view.sequence).member("shard", view.shard);
  write_labels(json, view);
  json.member("progress_units", view.units).member("progress_total", progress.total);
  json.member("progress_completed", progress.completed);
}

void write_identity(JsonWriter& json, std::string_view uuid, std::string_view node) {
  json.begin_object().member("task_id", uuid).member("node", node).end_object();
}

}  // namespace docket::scylla
