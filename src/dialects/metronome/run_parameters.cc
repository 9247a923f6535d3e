#include "dialects/metronome/run_parameters.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/json.h"

namespace docket::metronome {
namespace {

namespace json = boost::json;

void read_env(const json::value& value, model::RunParameters& into) {
  const json::object* env = value.if_object();
  const auto is_text = [](const auto& member) { return member.value().is_string(); };
  if (!env || !std::ranges::all_of(*env, is_text)) return;
  for (const auto& member : *env) {
    into.env.emplace_back(member.key(), std::string_view(member.value().get_string()));
  }
}

}  // namespace

std::shared_ptr<const model::RunParameters> read_run_parameters(std::string_view body) {
  if (body.empty() || body == "{}") return nullptr;  // what clients usually send
  const auto value = parse_json(body);
  const json::object* object = value ? value->if_object() : nullptr;
  if (!object) return nullptr;
  model::RunParameters parameters;
  if (const json::value* env = object->if_contains("env")) read_env(*env, parameters);
  if (const json::value* text = object->if_contains("description"); text && text->is_string()) {
    parameters.description = std::string_view(text->get_string());
  }
  if (parameters == model::RunParameters{}) return nullptr;
  return std::make_shared<const model::RunParameters>(std::move(parameters));
}

}  // namespace docket::metronome
