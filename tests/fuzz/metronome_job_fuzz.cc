// dialects/metronome: bodies of jobs and schedules, through the schema, the reader and the rules.

#include <boost/json/object.hpp>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/metronome/input.h"
#include "dialects/metronome/render.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

using metronome::ApiVersion;
using metronome::Purpose;

void check_refusal(const Error& error) {
  require(error.kind == ErrorKind::kInvalid, "a body that is refused is kInvalid");
  require(!error.fields.empty(), "a refusal says where");
  for (const FieldError& field : error.fields) {
    require(!field.errors.empty(), "and why", field.path);
  }
}

void check_schedule(const model::ScheduleDefinition& schedule) {
  const auto cron = Cron::parse(schedule.cron.text());
  require(cron && *cron == schedule.cron, "a schedule's cron can be shown and sent again");
  require(Zone::find(schedule.zone.name()) == schedule.zone, "so can its zone");
  require(schedule.starting_deadline_s >= 60, "the deadline keeps its rule");
}

void check_job(const metronome::JobInput& job) {
  require(job.schedules.empty() || job.definition.dependencies.empty(), "not both");
  for (const auto& schedule : job.schedules) check_schedule(schedule);
  std::string text;
  JsonWriter writer(text);
  metronome::write_definition(writer, job.definition);
  const auto again = metronome::read_job(*parse_json(text), ApiVersion::kV1, Purpose::kCreate);
  require(again.has_value(), "what GET shows can be sent again",
          again ? "" : text + again.error().message);
  require(again->definition == job.definition, "and is the same job", text);
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t what = input.byte();
  const auto value = parse_json(input.rest());
  if (!value) return;
  if (what % 4 == 1) {
    const auto schedule = metronome::read_schedule(*value, Purpose::kCreate);
    return schedule ? check_schedule(*schedule) : check_refusal(schedule.error());
  }
  const auto job = metronome::read_job(*value, what % 4 == 2 ? ApiVersion::kV0 : ApiVersion::kV1,
                                       Purpose::kCreate);
  return job ? check_job(*job) : check_refusal(job.error());
}

const Target kTarget("metronome_job", run);

}  // namespace
}  // namespace docket::fuzz
