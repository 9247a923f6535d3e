#include "conformance/describe.h"

#include <sstream>

#include "core/json_writer.h"

namespace docket::conformance {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <class Enum>
int number(Enum value) {
  return static_cast<int>(value);
}

// "name=value name=value ..."
class Fields {
 public:
  template <class T>
  Fields& add(const char* name, const T& value) {
    out_ << name << '=';
    if constexpr (std::is_convertible_v<T, std::string_view>) {
      out_ << in_quotes(value);
    } else if constexpr (std::is_same_v<T, Time>) {
      out_ << to_micros(value);
    } else if constexpr (std::is_enum_v<T>) {
      out_ << number(value);
    } else if constexpr (requires { value.value; }) {
      out_ << value.value;
    } else {
      out_ << value;
    }
    out_ << ' ';
    return *this;
  }
  std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
};

std::string describe_pairs(const StringPairs& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) out += in_quotes(name) + ":" + in_quotes(value) + ",";
  return out;
}

// With all its bits.
std::string exact(double number) {
  std::ostringstream out;
  out << std::hexfloat << number;
  return out.str();
}

void describe_operation(Fields& fields, const model::Task& task) {
  const model::Tally& tally = task.tally;
  fields.add("counts", tally.counts).add("completed", exact(tally.completed));
  fields.add("total", exact(tally.total)).add("children", tally.children);
  fields.add("failing", tally.failing);
  fields.add("children_completed", exact(tally.children_completed));
  fields.add("children_total", exact(tally.children_total)).add("fold", tally.fold);
  if (!task.operation) return;
  const model::Operation& what = *task.operation;
  fields.add("uuid", what.uuid).add("module", what.module).add("type", what.type);
  fields.add("scope", what.scope).add("keyspace", what.keyspace).add("table", what.table);
  fields.add("entity", what.entity).add("units", what.units).add("lane", what.lane);
  fields.add("labels", describe_pairs(what.labels)).add("sequence", what.sequence);
  fields.add("expected", what.expected ? exact(*what.expected) : "none");
  fields.add("lease", what.lease.count()).add("abortable", what.abortable);
  fields.add("internal", what.internal).add("cluster", what.cluster);
  fields.add("user", what.user).add("local", what.local);
}

std::string describe_parameters(const model::RunParameters* parameters) {
  if (!parameters) return "none";
  Fields fields;
  fields.add("env", describe_pairs(parameters->env)).add("description", parameters->description);
  if (const auto& starter = parameters->started_by) {
    fields.add("run", starter->run).add("name", starter->name).add("job", starter->job_id);
  }
  return fields.text();
}

}  // namespace

std::string describe(const model::Job& job) {
  Fields fields;
  fields.add("uid", job.uid).add("version", job.version).add("created_at", job.created_at);
  fields.add("updated_at", job.updated_at).add("id", job.definition.id);
  fields.add("description", job.definition.description.value_or("(none)"));
  fields.add("labels", describe_pairs(job.definition.labels));
  for (const std::string& parent : job.definition.dependencies) fields.add("dependency", parent);
  std::string spec;
  JsonWriter writer(spec);
  job.definition.spec.write(writer);
  return fields.text() + spec;
}

std::string describe(const model::JobPtr& job) { return job ? describe(*job) : "null"; }

std::string describe(const engine::JobRow& row) {
  Fields fields;
  fields.add("successes", row.stats.success_count).add("failures", row.stats.failure_count);
  fields.add("last_success", row.stats.last_success_at);
  fields.add("last_failure", row.stats.last_failure_at);
  fields.add("dependency_started_at", row.dependency_started_at);
  fields.add("last_run_state", row.last_run_state)
      .add("held_back", row.held_back)
      .add("handed_on", describe_parameters(row.handed_on.get()))
      .add("deleted", row.deleted);
  return fields.text() + describe(row.job);
}

std::string describe(const model::Task& task) {
  Fields fields;
  fields.add("id", task.id).add("parent", task.parent).add("root", task.root).add("job", task.job);
  fields.add("job_version", task.job_version).add("kind", task.kind).add("state", task.state);
  fields.add("trigger", task.trigger).add("stopping", task.stopping).add("name", task.name);
  fields.add("created_at", task.created_at).add("started_at", task.started_at);
  fields.add("finished_at", task.finished_at).add("schedule", task.schedule);
  fields.add("due_at", task.due_at).add("start_deadline", task.start_deadline);
  fields.add("exit_code", task.exit_code).add("signal", task.signal).add("message", task.message);
  if (task.kind == model::TaskKind::kOperation || task.operation) describe_operation(fields, task);
  fields.add("parameters", describe_parameters(task.parameters.get()));
  const model::Planned planned = task.planned ? *task.planned : model::Planned{};
  fields.add("key", planned.key).add("word", planned.word).add("facts", planned.facts);
  for (const auto& [cell, text] : planned.cells) fields.add("cell", cell + "=" + text);
  fields.add("executor", std::string(model::executor_of(task))).add("seq", model::seq_of(task));
  fields.add("target", std::string(model::target_of(task)));
  return fields.text();
}

std::string describe(const engine::TaskRow& row) {
  return "job_id=" + in_quotes(row.job_id) + " job_kind=" + in_quotes(row.job_kind) + " " +
         describe(row.task);
}

std::string describe(const engine::FinishedRun& run) {
  std::string text = describe(run.run) + " attempts=";
  for (TaskId attempt : run.attempts) text += std::to_string(attempt.value) + ",";
  return text;
}

std::string describe(const engine::ListedRow& row) {
  return Fields().add("until", row.until).text() + describe(row.row);
}

std::string describe(const model::Listing& listing) {
  Fields fields;
  fields.add("task", listing.task).add("module", listing.module).add("lane", listing.lane);
  return fields.add("internal", listing.internal).add("until", listing.until).text();
}

std::string describe(const model::Lane& lane) {
  return Fields().add("module", lane.module).add("lane", lane.lane).add("last", lane.last).text();
}

std::string describe(const model::ClockRecord& clock) {
  Fields fields;
  fields.add("wall", clock.read.wall).add("elapsed", clock.read.elapsed.count());
  fields.add("boot", clock.read.boot).add("trusted", clock.trusted).add("pending", clock.pending);
  fields.add("agreed", clock.agreed.count());
  for (const model::ClockStep& step : clock.steps) {
    fields.add("step", step.newest).add("by", step.by.count());
  }
  return fields.text();
}

std::string describe(TaskId id) { return std::to_string(id.value); }

std::string describe(const engine::ChildId& child) {
  return describe(child.id) + " at " + std::to_string(child.place) + " " + child.uuid;
}

std::string describe(const model::Event& event) {
  Fields fields;
  fields.add("seq", event.seq).add("at", event.at).add("type", event.type).add("job", event.job);
  fields.add("task", event.task).add("root", event.root).add("before", event.before);
  fields.add("after", event.after).add("job_id", event.job_id).add("message", event.message);
  fields.add("subtype", event.subtype);
  if (event.detail) {
    fields.add("resource", event.detail->resource).add("changes", event.detail->changes);
    fields.add("was", event.detail->before).add("is", event.detail->after);
    fields.add("traceback", event.detail->traceback);
  }
  return fields.text();
}

std::string describe(const model::Schedule& schedule) {
  const model::ScheduleDefinition& definition = schedule.definition;
  Fields fields;
  fields.add("uid", schedule.uid).add("job", schedule.job).add("id", definition.id);
  fields.add("cron", definition.cron.text()).add("zone", definition.zone.name());
  fields.add("starting_deadline_s", definition.starting_deadline_s);
  fields.add("policy", definition.policy).add("enabled", definition.enabled);
  fields.add("missed", definition.missed).add("missed_limit", definition.missed_limit);
  fields.add("created_at", schedule.created_at).add("checked_until", schedule.checked_until);
  fields.add("watched_from", schedule.watched_from).add("done_from", schedule.done_from);
  fields.add("done_until", schedule.done_until);
  return fields.text();
}

std::string describe(const model::Lock& lock) {
  Fields fields;
  fields.add("name", lock.name).add("fencing", lock.fencing).add("holder", lock.holder);
  return fields.add("held_since", lock.held_since).text();
}

std::string describe(const model::LedgerEntry& entry) {
  Fields fields;
  fields.add("schedule", entry.schedule).add("first_due", entry.first_due);
  fields.add("last_due", entry.last_due).add("count", entry.count);
  return fields.add("outcome", entry.outcome).add("run", entry.run).text();
}

std::string describe(const model::SealedSecret& secret) {
  Fields fields;
  fields.add("path", secret.path).add("sealed", secret.sealed);
  return fields.add("updated_at", secret.updated_at).text();
}

std::string describe(const model::Record& record) {
  Fields fields;
  fields.add("id", record.id).add("family", record.family).add("parent", record.parent);
  fields.add("name", record.name).add("text", record.text);
  for (const auto& [member, value] : record.sealed) fields.add(member.c_str(), value);
  fields.add("created_at", record.created_at).add("modified_at", record.modified_at);
  fields.add("created_by", record.created_by).add("modified_by", record.modified_by);
  return fields.text();
}

std::string describe(const engine::Snapshot& snapshot) {
  Fields last;
  last.add("last_job", snapshot.last_job).add("last_schedule", snapshot.last_schedule);
  last.add("last_task", snapshot.last_task).add("last_event", snapshot.last_event);
  last.add("last_record", snapshot.last_record).add("epoch", snapshot.epoch);
  return "jobs:\n" + describe(snapshot.jobs) + "frozen:\n" + describe(snapshot.frozen) +
         "schedules:\n" + describe(snapshot.schedules) + "tasks:\n" + describe(snapshot.tasks) +
         "locks:\n" + describe(snapshot.locks) + "secrets:\n" + describe(snapshot.secrets) +
         "records:\n" + describe(snapshot.records) + "lanes:\n" + describe(snapshot.lanes) +
         "clock:\n" + (snapshot.clock ? describe(*snapshot.clock) : "") + last.text();
}

}  // namespace docket::conformance
