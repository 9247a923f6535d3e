#include "cli/crontab/merge.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <cstdint>
#include <map>

#include "cli/client/json_access.h"
#include "cli/crontab/jobs.h"
#include "core/json_writer.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// FNV-1a: it is enough that marks differ where the text does.
std::uint64_t digest(std::string_view text) {
  std::uint64_t sum = 14695981039346656037ULL;
  for (const char c : text) sum = (sum ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return sum;
}

std::string number_at(const json::value& object, std::string_view name) {
  const json::value& number = member(object, name);
  return number.is_number() ? fmt::format("{}", number.to_number<double>()) : "";
}

std::string or_else(std::string text, const char* usual) { return text.empty() ? usual : text; }

bool is_of_import(const json::value& schedule) {
  return text_at(schedule, "id").starts_with(kImportSchedule);
}

// By id, so that the server's order does not matter.
std::map<std::string, std::string> schedules_of(const json::value& job) {
  std::map<std::string, std::string> schedules;
  for (const json::value& schedule : array_at(job, "schedules")) {
    schedules[text_at(schedule, "id")] =
        text_at(schedule, "cron") + "\n" + text_at(schedule, "timezone") + "\n" +
        text_at(schedule, "concurrencyPolicy") + "\n" + text_at(schedule, "enabled");
  }
  return schedules;
}

std::string variables_of(const json::value& run) {
  std::map<std::string, std::string> variables;
  if (const json::object* env = member(run, "env").if_object()) {
    for (const auto& [name, value] : *env) variables[std::string(name)] = to_json(value);
  }
  std::string text;
  for (const auto& [name, value] : variables) text += name + "=" + value + "\n";
  return text;
}

void take_over(json::object& into, const json::object& from, const char* name) {
  if (const json::value* value = from.if_contains(name)) {
    into[name] = *value;
  } else {
    into.erase(name);
  }
}

// For an existing schedule, settings made by people, such as `missed`, are kept.
json::array merged_schedules(const json::value& present, const json::object& job) {
  std::map<std::string, json::object> before;
  json::array schedules;
  for (const json::value& schedule : array_at(present, "schedules")) {
    if (is_of_import(schedule)) {
      before[text_at(schedule, "id")] = schedule.get_object();
    } else {
      schedules.push_back(schedule);
    }
  }
  for (const json::value& wanted : job.at("schedules").as_array()) {
    json::object schedule = before[text_at(wanted, "id")];
    for (const auto& [name, value] : wanted.as_object()) schedule[name] = value;
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

json::object with_labels(json::object job, const json::object& line) {
  json::object& labels = job["labels"].emplace_object();
  labels = line.at("labels").as_object();
  labels[kMarkLabel] = mark_of(line);
  return job;
}

}  // namespace

std::string mark_of(const json::value& job) {
  const json::value& run = member(job, "run");
  std::string text = text_at(run, "cmd") + "\n" + text_at(run, "user") + "\n" +
                     number_at(run, "cpus") + " " + number_at(run, "mem") + " " +
                     or_else(text_at(run, "limits"), "all") + "\n" + variables_of(run);
  for (const auto& [id, schedule] : schedules_of(job)) text += id + "\n" + schedule + "\n";
  return fmt::format("{:016x}", digest(text));
}

Verdict judge(const json::value& present, const json::object& job) {
  if (present.is_null()) return Verdict::kAdd;
  const std::string mark = text_at(member(present, "labels"), kMarkLabel);
  const std::string now = mark_of(present);
  const std::string wanted = mark_of(job);
  if (now == wanted) return mark == wanted ? Verdict::kSame : Verdict::kUpdate;
  if (now == mark) return Verdict::kUpdate;
  return wanted == mark ? Verdict::kKeep : Verdict::kConflict;
}

const char* words_of(Verdict verdict) {
  constexpr std::array<const char*, 5> kWords{"added", "unchanged", "updated", "kept: changed here",
                                              "kept: changed here and in the crontab"};
  return kWords[static_cast<std::size_t>(verdict)];
}

json::object merged(const json::value& present, const json::object& job) {
  json::object out = present.as_object();
  const json::object labels = member(present, "labels").is_object()
                                  ? member(present, "labels").get_object()
                                  : json::object();
  json::object& run = out["run"].as_object();
  const json::object& line = job.at("run").as_object();
  for (const char* name : {"cmd", "user", "env", "cpus", "mem", "limits"}) {
    take_over(run, line, name);
  }
  take_over(out, job, "description");
  out["schedules"] = merged_schedules(present, job);
  out = with_labels(std::move(out), job);
  for (const auto& [name, value] : labels) {
    out["labels"].as_object().insert({{name, value}});  // existing ones stay
  }
  return out;
}

json::object marked(json::object job) {
  const json::object line = job;
  return with_labels(std::move(job), line);
}

}  // namespace docket::cli
