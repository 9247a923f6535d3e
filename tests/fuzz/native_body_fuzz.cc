// dialects/native: every body that the native door reads.

#include <cmath>

#include "core/json_writer.h"
#include "dialects/native/read_job.h"
#include "dialects/native/read_task.h"
#include "engine/kinds.h"
#include "fuzz/fuzz.h"
#include "kinds/process/process_kind.h"

namespace docket::fuzz {
namespace {

template <class Value>
const Value* accepted(const Result<Value>& value) {
  if (value) return &*value;
  require(value.error().kind == ErrorKind::kInvalid, "a body that is refused is kInvalid");
  require(!value.error().message.empty(), "a refusal says why");
  for (const FieldError& field : value.error().fields) {
    require(!field.errors.empty(), "and what about each field", field.path);
  }
  return nullptr;
}

void write_schedule(JsonWriter& out, const model::ScheduleDefinition& schedule) {
  out.begin_object().member("id", schedule.id).member("cron", schedule.cron.text());
  out.member("timezone", schedule.zone.name());
  out.member("startingDeadlineSeconds", schedule.starting_deadline_s);
  out.member("concurrencyPolicy", model::name_of(schedule.policy));
  out.member("enabled", schedule.enabled).member("missed", model::name_of(schedule.missed));
  out.member("missedLimit", schedule.missed_limit).end_object();
}

const kinds::ProcessKind kProcess{std::chrono::seconds{3}};
const engine::Kinds kKinds{&kProcess};

std::string written(const native::JobBody& job) {
  std::string text;
  JsonWriter out(text);
  out.begin_object().member("id", job.definition.id);
  if (job.definition.description) out.member("description", *job.definition.description);
  out.member("labels", job.definition.labels);
  out.key("dependencies").begin_array();
  for (const std::string& parent : job.definition.dependencies) out.value(parent);
  out.end_array().key("run");
  job.definition.spec.write(out);
  if (job.schedules) {
    out.key("schedules").begin_array();
    for (const auto& schedule : *job.schedules) write_schedule(out, schedule);
    out.end_array();
  }
  out.end_object();
  return text;
}

void check_job(std::string_view input) {
  const auto read = native::read_job(input, std::nullopt, kKinds);
  const native::JobBody* job = accepted(read);
  if (!job) return;
  const std::string text = written(*job);
  const auto again = native::read_job(text, job->definition.id, kKinds);
  require(again.has_value(), "what GET shows can be PUT back",
          again ? "" : text + again.error().message);
  require(again->definition == job->definition, "and is the same job", text);
  require(written(*again) == text, "with the same schedules", text);
}

void check_schedule(std::string_view input) {
  const auto schedule = native::read_schedule(input, std::nullopt);
  if (!accepted(schedule)) return;
  std::string text;
  JsonWriter out(text);
  write_schedule(out, *schedule);
  const auto again = native::read_schedule(text, schedule->id);
  require(again.has_value(), "a schedule can be PUT back", text);
  require(again->cron == schedule->cron && again->zone == schedule->zone, "and is the same", text);
}

bool is_figure(const std::optional<double>& figure) {
  return !figure || (std::isfinite(*figure) && *figure >= 0);
}

void check_reporters(std::string_view input) {
  const auto made = native::read_new_task(input);
  if (const auto* task = accepted(made)) {
    require(is_figure(task->what.expected) && task->what.lease >= Duration{0}, "figures of a task");
  }
  const auto report = native::read_report(input);
  if (const auto* figures = accepted(report)) {
    require(is_figure(figures->completed) && is_figure(figures->total), "figures of a report");
  }
  const auto reports = native::read_reports(input);
  if (const auto* all = accepted(reports)) {
    require(all->size() <= native::kReportsMax, "no more reports than the limit");
    for (const auto& each : *all) {
      const auto ref = native::parse_task_ref(each.name);
      require(ref && ref->id == each.task.id && ref->uuid == each.task.uuid, "a task by its name",
              each.name);
      require(each.task.id || !each.task.uuid.empty(), "a report is about a task");
    }
  }
  accepted(native::read_note(input));
  accepted(native::read_finish(input));
}

void run(std::string_view bytes) {
  Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      return check_job(input.rest());
    case 1:
      return check_schedule(input.rest());
    case 2:
      return check_reporters(input.rest());
    default:
      accepted(native::read_run_parameters(input.rest()));
      accepted(native::read_secret(input.rest()));
  }
}

const Target kTarget("native_body", run);

}  // namespace
}  // namespace docket::fuzz
