#include "dialects/metronome/leniency.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace docket::metronome {
namespace {

namespace json = boost::json;

void excuse_run(json::object& run) {
  const json::value* cmd = run.if_contains("cmd");
  const bool empty = cmd && cmd->is_string() && cmd->get_string().empty();
  if (empty && (run.contains("docker") || run.contains("ucr"))) run.erase("cmd");
}

}  // namespace

void correct_schedule(json::value& body) {
  json::object* schedule = body.if_object();
  if (!schedule || schedule->contains("timezone")) return;
  const json::value* alias = schedule->if_contains("timeZone");
  if (!alias || !alias->is_string() || alias->get_string().empty()) return;
  json::value zone = *alias;
  schedule->emplace("timezone", std::move(zone));
}

void correct_job(json::value& body) {
  json::object* job = body.if_object();
  if (!job) return;
  if (json::value* run = job->if_contains("run"); run && run->is_object()) {
    excuse_run(run->get_object());
  }
  if (json::value* schedules = job->if_contains("schedules"); schedules && schedules->is_array()) {
    for (json::value& schedule : schedules->get_array()) correct_schedule(schedule);
  }
}

}  // namespace docket::metronome
