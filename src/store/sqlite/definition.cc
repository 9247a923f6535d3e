#include "store/sqlite/definition.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include "core/json.h"
#include "core/json_writer.h"
#include "model/codec.h"

namespace docket::store {
namespace {

namespace json = boost::json;

tl::unexpected<Error> damaged(std::string_view member) {
  return fail(ErrorKind::kInternal, "damaged JSON in the store: " + std::string(member));
}

std::string to_string(const json::value& value) { return std::string(value.get_string()); }

Result<std::string> read_string(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (!value || !value->is_string()) return damaged(member);
  return to_string(*value);
}

Result<model::StringPairs> to_pairs(const json::value* value, std::string_view member) {
  if (!value || !value->is_object()) return damaged(member);
  model::StringPairs pairs;
  for (const auto& [name, content] : value->get_object()) {
    if (!content.is_string()) return damaged(member);
    pairs.emplace_back(std::string(name), to_string(content));
  }
  return pairs;
}

Result<model::StringPairs> read_pairs(const json::object& object, std::string_view member) {
  return to_pairs(object.if_contains(member), member);
}

Result<std::vector<std::string>> read_strings(const json::object& object, std::string_view member) {
  const json::value* value = object.if_contains(member);
  if (!value || !value->is_array()) return damaged(member);
  std::vector<std::string> strings;
  for (const json::value& each : value->get_array()) {
    if (!each.is_string()) return damaged(member);
    strings.push_back(to_string(each));
  }
  return strings;
}

Result<model::Spec> read_spec(const json::object& object) {
  const Result<std::string> kind = read_string(object, "kind");
  if (!kind || *kind != "process") return damaged("kind");
  const json::value* run = object.if_contains("run");
  if (!run) return damaged("run");
  Result<model::ProcessSpec> spec = model::read_process_spec(*run, "/run");
  if (!spec) return damaged("run: " + spec.error().message);
  return model::Spec(std::move(*spec));
}

}  // namespace

void write_definition(std::string& out, const model::JobDefinition& definition) {
  JsonWriter writer(out);
  writer.begin_object().member("id", definition.id);
  if (definition.description) writer.member("description", *definition.description);
  model::write_string_map(writer.key("labels"), definition.labels);
  writer.key("dependencies").begin_array();
  for (const std::string& parent : definition.dependencies) writer.value(parent);
  writer.end_array().member("kind", "process").key("run");
  model::write_process_spec(writer, std::get<model::ProcessSpec>(definition.spec));
  writer.end_object();
}

Result<model::JobDefinition> read_definition(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value || !value->is_object()) return damaged("definition");
  const json::object& object = value->get_object();
  model::JobDefinition definition;
  Result<std::string> id = read_string(object, "id");
  Result<model::StringPairs> labels = read_pairs(object, "labels");
  Result<std::vector<std::string>> dependencies = read_strings(object, "dependencies");
  Result<model::Spec> spec = read_spec(object);
  if (!id) return fail(id.error());
  if (!labels) return fail(labels.error());
  if (!dependencies) return fail(dependencies.error());
  if (!spec) return fail(spec.error());
  if (object.if_contains("description")) {
    Result<std::string> description = read_string(object, "description");
    if (!description) return fail(description.error());
    definition.description = std::move(*description);
  }
  definition.id = std::move(*id);
  definition.labels = std::move(*labels);
  definition.dependencies = std::move(*dependencies);
  definition.spec = std::move(*spec);
  return definition;
}

void write_parameters(std::string& out, const model::RunParameters& parameters) {
  JsonWriter writer(out);
  writer.begin_object();
  model::write_string_map(writer.key("env"), parameters.env);
  writer.member("description", parameters.description);
  if (parameters.started_by) {
    writer.key("startedBy").begin_object();
    writer.member("run", parameters.started_by->run.value);
    writer.member("name", parameters.started_by->name);
    writer.member("job", parameters.started_by->job_id).end_object();
  }
  writer.end_object();
}

namespace {

Result<model::Starter> read_starter(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* run = object ? object->if_contains("run") : nullptr;
  if (!run || !run->is_int64() || run->get_int64() <= 0) return damaged("startedBy");
  Result<std::string> name = read_string(*object, "name");
  Result<std::string> job = read_string(*object, "job");
  if (!name) return fail(name.error());
  if (!job) return fail(job.error());
  return model::Starter{TaskId{static_cast<std::uint64_t>(run->get_int64())}, std::move(*name),
                        std::move(*job)};
}

}  // namespace

Result<model::RunParameters> read_parameters(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  if (!value || !value->is_object()) return damaged("parameters");
  Result<model::StringPairs> env = read_pairs(value->get_object(), "env");
  Result<std::string> description = read_string(value->get_object(), "description");
  if (!env) return fail(env.error());
  if (!description) return fail(description.error());
  model::RunParameters parameters{std::move(*env), std::move(*description), std::nullopt};
  if (const json::value* starter = value->get_object().if_contains("startedBy")) {
    Result<model::Starter> read = read_starter(*starter);
    if (!read) return fail(read.error());
    parameters.started_by = std::move(*read);
  }
  return parameters;
}

void write_labels(std::string& out, const model::StringPairs& labels) {
  JsonWriter writer(out);
  model::write_string_map(writer, labels);
}

Result<model::StringPairs> read_labels(std::string_view text) {
  const Result<json::value> value = parse_json(text);
  return to_pairs(value ? &*value : nullptr, "labels");
}

}  // namespace docket::store
