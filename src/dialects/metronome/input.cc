#include "dialects/metronome/input.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "core/json.h"
#include "core/json_reader.h"
#include "dialects/metronome/complaints.h"
#include "dialects/metronome/leniency.h"
#include "dialects/metronome/rules.h"
#include "kinds/process/spec.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

// The original keeps durations in 64 bits of nanoseconds: 292 years.
constexpr double kMaxDurationSeconds = 9223372036.0;

std::string_view text_of(const json::value& value) { return value.get_string(); }

// A member whose type the schema has already checked; null when absent.
const json::value* member(const json::object& object, std::string_view name) {
  return object.if_contains(name);
}

enum class Sign { kAny, kNotNegative };

void check_duration(const json::object& object, std::string_view name, Sign sign,
                    const std::string& path, Complaints& complaints) {
  const json::value* value = member(object, name);
  if (!value) return;
  const double seconds = value->to_number<double>();
  if (std::fabs(seconds) <= kMaxDurationSeconds && (sign == Sign::kAny || seconds >= 0)) return;
  complaints.add(fmt::format("{}/{}", path, name),
                 fmt::format("Can not read duration: {}", to_json(*value)));
}

// ---- run

bool is_volume(const json::object& volume) {
  const bool from_host = volume.contains("hostPath") && volume.contains("mode");
  const bool from_secret = volume.contains("secret");
  return volume.contains("containerPath") &&
         ((from_host && volume.size() == 3) || (from_secret && volume.size() == 2));
}

void check_volumes(const json::object& run, Complaints& complaints) {
  const json::value* volumes = member(run, "volumes");
  if (!volumes) return;
  std::size_t index = 0;
  for (const json::value& volume : volumes->get_array()) {
    const std::size_t place = index++;
    if (is_volume(volume.get_object())) continue;
    complaints.add(
        fmt::format("/run/volumes({})", place),
        fmt::format("expected HostVolume or SecretVolume object but got {}", to_json(volume)));
  }
}

void check_gpus(const json::object& run, Complaints& complaints) {
  const json::value* gpus = member(run, "gpus");
  if (gpus && gpus->to_number<double>() > std::numeric_limits<std::int32_t>::max()) {
    complaints.add("/run/gpus", "error.expected.int");
  }
}

void check_run_members(const json::object& run, Complaints& complaints) {
  check_gpus(run, complaints);
  check_duration(run, "maxLaunchDelay", Sign::kNotNegative, "/run", complaints);
  check_duration(run, "taskKillGracePeriodSeconds", Sign::kNotNegative, "/run", complaints);
  if (const json::value* restart = member(run, "restart")) {
    check_duration(restart->get_object(), "activeDeadlineSeconds", Sign::kAny, "/run/restart",
                   complaints);
  }
  check_volumes(run, complaints);
}

// The messages of Play's JSON library, indexed by JsonFlaw. The schema has already checked the
// shape.
constexpr std::array<const char*, kJsonFlaws> kPlayWords{"error.path.missing",
                                                         "error.expected.jsobject",
                                                         "error.expected.jsarray",
                                                         "error.expected.jsstring",
                                                         "error.expected.jsboolean",
                                                         "error.expected.jsnumber",
                                                         "error.expected.long",
                                                         "error.minLength",
                                                         "error.unknown.enum.literal",
                                                         "error.unexpected.member",
                                                         ""};

kinds::ProcessSpec read_run(const json::value& run, Complaints& complaints) {
  check_run_members(run.get_object(), complaints);
  JsonComplaints of_body{.unknown = UnknownMembers::kIgnored};
  JsonReader in(run, of_body, "run");
  kinds::ProcessSpec spec = kinds::read_process_spec(in);
  for (const JsonComplaint& each : of_body.list) {
    const std::string path = each.path.parenthesised();
    if (complaints.covers(path)) continue;
    const std::string words = kPlayWords[static_cast<std::size_t>(each.flaw)];
    complaints.add(path, words.empty() ? each.detail : words);
  }
  if (spec.kill_grace_s) spec.kill_grace_s = std::trunc(*spec.kill_grace_s);
  return spec;
}

// ---- schedules

std::string unreadable_cron(std::string_view text) {
  return fmt::format("Can not read cron expression {}", to_json(json::value(text)));
}

void read_cron(const json::object& object, const std::string& path, Complaints& complaints,
               std::optional<Cron>& into) {
  const std::string_view text = text_of(object.at("cron"));
  Result<Cron> cron = Cron::parse(text);
  if (cron) {
    into = std::move(*cron);
  } else {
    complaints.add(path + "/cron", unreadable_cron(text));
    complaints.add(path + "/cron", cron.error().message);
  }
}

Zone read_zone(const json::object& object, const std::string& path, Complaints& complaints) {
  const json::value* value = member(object, "timezone");
  if (!value) return {};
  const Result<Zone> zone = Zone::find(text_of(*value));
  if (zone) return *zone;
  complaints.add(path + "/timezone",
                 fmt::format("No time zone found with this id: {}", to_json(*value)));
  return {};
}

std::int64_t read_starting_deadline(const json::object& object, const std::string& path,
                                    Complaints& complaints) {
  const json::value* value = member(object, "startingDeadlineSeconds");
  if (!value) return 900;
  const double seconds = value->to_number<double>();
  check_duration(object, "startingDeadlineSeconds", Sign::kNotNegative, path, complaints);
  return seconds <= kMaxDurationSeconds ? static_cast<std::int64_t>(seconds) : 0;
}

std::optional<model::ScheduleDefinition> read_schedule_members(const json::object& object,
                                                               const std::string& path,
                                                               Complaints& complaints) {
  std::optional<Cron> cron;
  read_cron(object, path, complaints, cron);
  const Zone zone = read_zone(object, path, complaints);
  const std::int64_t deadline = read_starting_deadline(object, path, complaints);
  if (!cron) return std::nullopt;
  model::ScheduleDefinition schedule{.id = std::string(text_of(object.at("id"))),
                                     .cron = std::move(*cron),
                                     .zone = zone,
                                     .starting_deadline_s = deadline};
  if (const json::value* policy = member(object, "concurrencyPolicy")) {
    using enum model::ConcurrencyPolicy;
    for (const auto each : {kForbid, kReplace}) {
      if (text_of(*policy) == model::name_of(each)) schedule.policy = each;
    }
  }
  if (const json::value* enabled = member(object, "enabled")) {
    schedule.enabled = enabled->get_bool();
  }
  return schedule;
}

// ---- job

void read_dependencies(const json::array& dependencies, model::JobDefinition& definition,
                       Complaints& complaints) {
  for (std::size_t i = 0; i < dependencies.size(); ++i) {
    if (const json::value* id = member(dependencies[i].get_object(), "id")) {
      definition.dependencies.emplace_back(text_of(*id));
    } else {
      complaints.add(fmt::format("/dependencies({})/id", i), "error.path.missing");
    }
  }
}

void read_names(const json::object& object, model::JobDefinition& definition,
                Complaints& complaints) {
  definition.id = text_of(object.at("id"));
  if (const json::value* description = member(object, "description")) {
    definition.description = std::string(text_of(*description));
  }
  if (const json::value* labels = member(object, "labels")) {
    for (const auto& label : labels->get_object()) {
      definition.labels.emplace_back(label.key(), text_of(label.value()));
    }
  }
  if (const json::value* dependencies = member(object, "dependencies")) {
    read_dependencies(dependencies->get_array(), definition, complaints);
  }
}

// The members of `run` that are docket's own.
template <auto Member>
void keep(kinds::ProcessSpec& run, const kinds::ProcessSpec& before) {
  run.*Member = before.*Member;
}
template <auto Member>
void keep_of_restart(kinds::ProcessSpec& run, const kinds::ProcessSpec& before) {
  run.restart.*Member = before.restart.*Member;
}
constexpr std::array<std::pair<std::string_view, JobInput::Keep>, 6> kOwn{{
    {"/locks", keep<&kinds::ProcessSpec::locks>},
    {"/onLost", keep<&kinds::ProcessSpec::on_lost>},
    {"/limits", keep<&kinds::ProcessSpec::limits>},
    {"/timeoutSeconds", keep<&kinds::ProcessSpec::timeout_s>},
    {"/restart/maxAttempts", keep_of_restart<&kinds::Restart::max_attempts>},
    {"/restart/backoff", keep_of_restart<&kinds::Restart::backoff>},
}};

JobInput read_job_members(const json::object& object, Complaints& complaints) {
  JobInput job;
  read_names(object, job.definition, complaints);
  if (const json::value* schedules = member(object, "schedules")) {
    std::size_t index = 0;
    for (const json::value& item : schedules->get_array()) {
      auto schedule = read_schedule_members(item.get_object(), fmt::format("/schedules({})", index),
                                            complaints);
      if (schedule) job.schedules.push_back(std::move(*schedule));
      ++index;
    }
  }
  const json::value& run = object.at("run");
  job.definition.spec = kinds::spec_of(read_run(run, complaints));
  for (const auto& [at, keep] : kOwn) {
    boost::system::error_code missing;
    if (!run.find_pointer(at, missing)) job.omitted.push_back(keep);
  }
  return job;
}

void complain_of_reboot(const std::string& path, Complaints& complaints) {
  complaints.add(path + "/cron", unreadable_cron(Cron::kReboot));
  complaints.add(path + "/cron", "is for schedules that are made in docket's own API");
}

// Refused like any other policy or expression that this API does not know.
void refuse_native(const json::value& schedule, const std::string& path, Complaints& complaints) {
  const json::object* object = schedule.if_object();
  const auto says = [object](std::string_view name, std::string_view word) {
    const json::value* value = object ? member(*object, name) : nullptr;
    return value && value->is_string() && text_of(*value) == word;
  };
  if (says("concurrencyPolicy", "REPLACE")) {
    complaints.add(path + "/concurrencyPolicy", kInvalidChoice);
  }
  if (says("cron", Cron::kReboot)) complain_of_reboot(path, complaints);
}

void refuse_native_within(const json::value& job, Complaints& complaints) {
  const json::object* object = job.if_object();
  const json::value* schedules = object ? member(*object, "schedules") : nullptr;
  if (!schedules || !schedules->is_array()) return;
  for (std::size_t i = 0; i < schedules->get_array().size(); ++i) {
    refuse_native(schedules->get_array()[i], fmt::format("/schedules/{}", i), complaints);
  }
}

}  // namespace

Result<JobInput> read_job(json::value body, ApiVersion version, Purpose purpose) {
  correct_job(body);
  Complaints misshapen;
  check(job_schema(version), body, "", misshapen);
  if (purpose == Purpose::kCreate) refuse_native_within(body, misshapen);
  if (auto shape = std::move(misshapen).verdict(); !shape) return fail(shape.error());
  Complaints unreadable;
  JobInput job = read_job_members(body.get_object(), unreadable);
  if (auto read = std::move(unreadable).verdict(); !read) return fail(read.error());
  Complaints against_rules;
  check_job_rules(job, against_rules);
  if (auto rules = std::move(against_rules).verdict(); !rules) return fail(rules.error());
  return job;
}

Result<model::ScheduleDefinition> read_schedule(json::value body, Purpose purpose) {
  correct_schedule(body);
  Complaints misshapen;
  check(schedule_schema(), body, "", misshapen);
  if (purpose == Purpose::kCreate) refuse_native(body, "", misshapen);
  if (auto shape = std::move(misshapen).verdict(); !shape) return fail(shape.error());
  Complaints unreadable;
  auto schedule = read_schedule_members(body.get_object(), "", unreadable);
  if (auto read = std::move(unreadable).verdict(); !read) return fail(read.error());
  Complaints against_rules;
  check_schedule_rules(*schedule, "", against_rules);
  if (auto rules = std::move(against_rules).verdict(); !rules) return fail(rules.error());
  return std::move(*schedule);
}

void preserve_omitted(JobInput& job, const model::JobDefinition& before) {
  auto& run = kinds::change_process(job.definition.spec);
  const auto& run_before = kinds::process_of(before.spec);
  for (const auto keep : job.omitted) keep(run, run_before);
}

Result<> preserve_omitted(model::ScheduleDefinition& schedule,
                          const model::ScheduleDefinition* before, const std::string& path) {
  constexpr auto kReplace = model::ConcurrencyPolicy::kReplace;
  Complaints complaints;
  if (schedule.policy == kReplace && (!before || before->policy != kReplace)) {
    complaints.add(path + "/concurrencyPolicy", kInvalidChoice);
  }
  if (schedule.cron.is_reboot() && (!before || !before->cron.is_reboot())) {
    complain_of_reboot(path, complaints);
  }
  if (auto taken = std::move(complaints).verdict(); !taken) return taken;
  if (!before) return {};
  schedule.missed = before->missed;
  schedule.missed_limit = before->missed_limit;
  return {};
}

}  // namespace docket::metronome
