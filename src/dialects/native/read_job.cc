#include "dialects/native/read_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <set>
#include <utility>

#include "core/json.h"
#include "core/json_reader.h"
#include "dialects/native/body.h"
#include "dialects/native/read_run.h"
#include "kinds/process/spec.h"

namespace docket::native {
namespace {

namespace json = boost::json;

bool is_word_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// One word of an id: lower-case letters and digits, hyphens inside.
bool is_word(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.back() == '-') return false;
  for (const char c : text) {
    if (c != '-' && !is_word_character(c)) return false;
  }
  return true;
}

bool is_dotted_id(std::string_view text) {
  for (;;) {
    const auto dot = text.find('.');
    if (!is_word(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

void read_id(JsonReader& body, const std::optional<std::string>& path_id, std::string& into) {
  if (path_id) into = *path_id;
  if (!path_id) body.require("id");
  if (!body.read("id", into)) return;
  if (path_id && into != *path_id) {
    body.complain("id", "must be the id in the path");
  } else if (!is_dotted_id(into)) {
    body.complain("id", "must be words of a-z, 0-9 and inner hyphens, joined by dots");
  }
}

// Everything in a schedule but `cron` and `timezone` has a default. It is built in parts because
// Cron has no empty value.
std::optional<model::ScheduleDefinition> read_schedule_object(
    JsonReader& body, const std::optional<std::string>& path_id) {
  constexpr std::array kPolicies{"ALLOW", "FORBID", "REPLACE"};
  constexpr std::array kMissed{"none", "last", "all"};
  constexpr std::int64_t kLongestDeadline = 366LL * 24 * 3600;
  std::string id;
  std::string expression;
  std::string timezone = "UTC";
  read_id(body, path_id, id);
  const bool has_cron = body.read_required("cron", expression);
  auto cron = Cron::parse(expression);
  if (has_cron && !cron) body.complain("cron", cron.error().message);
  body.read("timezone", timezone);
  const auto zone = Zone::find(timezone);
  if (!zone) body.complain("timezone", zone.error().message);
  std::int64_t deadline = 900;
  body.read("startingDeadlineSeconds", deadline, 1, kLongestDeadline);
  const std::size_t policy = body.choice("concurrencyPolicy", kPolicies);
  bool enabled = true;
  body.read("enabled", enabled);
  const std::size_t missed = body.choice("missed", kMissed);
  std::int64_t missed_limit = 10;
  body.read("missedLimit", missed_limit, 1, 1000);
  for (const char* written : {"uid", "job", "createdAt", "nextRunAt"}) body.find(written);
  if (!cron || !zone) return std::nullopt;
  return model::ScheduleDefinition{.id = std::move(id),
                                   .cron = *std::move(cron),
                                   .zone = *zone,
                                   .starting_deadline_s = deadline,
                                   .policy = static_cast<model::ConcurrencyPolicy>(policy),
                                   .enabled = enabled,
                                   .missed = static_cast<model::MissedPolicy>(missed),
                                   .missed_limit = static_cast<std::uint32_t>(missed_limit)};
}

void read_schedules(JsonReader& body, JobBody& job) {
  if (!body.has("schedules")) return;
  auto& schedules = job.schedules.emplace();
  std::set<std::string> ids;
  body.each("schedules", [&](JsonReader& item) {
    auto schedule = read_schedule_object(item, std::nullopt);
    item.finish();
    if (!schedule) return;
    if (!ids.insert(schedule->id).second) item.complain("id", "is taken by another schedule");
    schedules.push_back(*std::move(schedule));
  });
}

// A process is described in `run`, for compatibility; other kinds in `spec`.
model::Spec read_spec(JsonReader& body, const engine::Kinds& kinds) {
  model::Spec spec{.kind = kinds::kProcess, .body = nullptr};
  body.read("kind", spec.kind);
  const engine::Kind* kind = kinds.find(spec.kind);
  if (!kind || !kind->has_jobs()) {
    std::vector<std::string_view> names;
    for (const engine::Kind* each : kinds.all()) {
      if (each->has_jobs()) names.push_back(each->name());
    }
    body.complain("kind", fmt::format("must be one of {}", fmt::join(names, ", ")));
    for (const char* member : {"run", "spec"}) body.find(member);
    return spec;
  }
  const bool process = spec.kind == kinds::kProcess;
  const char* member = process ? "run" : "spec";
  body.require(member);
  JsonReader in = body.inside(member);
  if (body.has(member)) {
    spec.body = process ? kinds::spec_of(read_run(in)).body : kinds.read_spec(spec.kind, in);
  }
  return spec;
}

void read_dependencies(JsonReader& body, JobBody& job) {
  auto& dependencies = job.definition.dependencies;
  body.read("dependencies", dependencies);
  std::set<std::string> seen;
  for (const std::string& id : dependencies) {
    if (!seen.insert(id).second) {
      return body.complain("dependencies", fmt::format("names '{}' twice", id));
    }
  }
  // A job is started either by schedules or by other jobs; both would make "why did it run?"
  // unanswerable.
  if (!dependencies.empty() && job.schedules && !job.schedules->empty()) {
    body.complain("dependencies", "must be empty for a job with schedules");
  }
}

}  // namespace

Result<JobBody> read_job(std::string_view text, const std::optional<std::string>& path_id,
                         const engine::Kinds& kinds) {
  return read_body(text, [&](JsonReader& body) {
    JobBody job;
    read_id(body, path_id, job.definition.id);
    body.read("description", job.definition.description);
    body.read("labels", job.definition.labels);
    job.definition.spec = read_spec(body, kinds);
    read_schedules(body, job);
    read_dependencies(body, job);
    for (const char* written :
         {"uid", "version", "createdAt", "updatedAt", "activeRuns", "totals", "lastRunState"}) {
      body.find(written);
    }
    return job;
  });
}

Result<model::ScheduleDefinition> read_schedule(std::string_view text,
                                                const std::optional<std::string>& path_id) {
  auto schedule =
      read_body(text, [&](JsonReader& body) { return read_schedule_object(body, path_id); });
  if (!schedule) return fail(schedule.error());
  return **std::move(schedule);
}

Result<std::shared_ptr<const model::RunParameters>> read_run_parameters(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return nullptr;
  auto parameters = read_body(text, [](JsonReader& body) {
    model::RunParameters said;
    body.read("env", said.env);
    body.read("description", said.description);
    return said;
  });
  if (!parameters) return fail(parameters.error());
  if (*parameters == model::RunParameters{}) return nullptr;
  return std::make_shared<const model::RunParameters>(*std::move(parameters));
}

Result<std::string> read_secret(std::string_view text) {
  return read_body(text, [](JsonReader& body) {
    std::string secret;
    body.read_required("value", secret);
    return secret;
  });
}

}  // namespace docket::native
