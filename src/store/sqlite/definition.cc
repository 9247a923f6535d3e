#include "store/sqlite/definition.h"

#include <fmt/format.h>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/json_writer.h"

namespace docket::store {
namespace {

// A store holds what docket wrote: an unknown member comes from a newer docket, and any other flaw
// is damage. read(reader) returns the value.
template <class Read>
auto read_whole(std::string_view text, const char* what, Read read)
    -> Result<decltype(read(std::declval<JsonReader&>()))> {
  const auto value = parse_json(text);
  JsonComplaints complaints{.unknown = UnknownMembers::kIgnored};
  if (value) {
    JsonReader in(*value, complaints);
    auto made = read(in);
    if (complaints.list.empty()) return made;
  }
  const std::string at = complaints.list.empty() ? "" : complaints.list.front().path.pointer();
  return fail(ErrorKind::kInternal, fmt::format("damaged JSON in the store: {}{}", what, at));
}

// The member is called `run` whatever the kind: exports and older stores know it by that name.
model::Spec read_spec(JsonReader& in, const model::SpecReader* specs) {
  constexpr const char* kSpec = "run";
  model::Spec spec;
  in.read_required("kind", spec.kind);
  in.require(kSpec);
  JsonReader inside = in.inside(kSpec);
  if (specs) spec.body = specs->read_spec(spec.kind, inside);
  const boost::json::value* text = in.find(kSpec);
  if (!spec.body && text) spec.body = std::make_shared<const model::UnreadSpec>(to_json(*text));
  return spec;
}

model::Starter read_starter(JsonReader& in) {
  model::Starter starter;
  std::int64_t run = 0;
  in.require("run");
  if (in.read("run", run, 1, INT64_MAX)) starter.run = TaskId{static_cast<std::uint64_t>(run)};
  in.read_required("name", starter.name);
  in.read_required("job", starter.job_id);
  return starter;
}

}  // namespace

void write_definition(std::string& out, const model::JobDefinition& definition) {
  JsonWriter writer(out);
  writer.begin_object().member("id", definition.id);
  if (definition.description) writer.member("description", *definition.description);
  writer.member("labels", definition.labels);
  writer.key("dependencies").begin_array();
  for (const std::string& parent : definition.dependencies) writer.value(parent);
  writer.end_array().member("kind", definition.spec.kind);
  definition.spec.write(writer.key("run"));
  writer.end_object();
}

Result<model::JobDefinition> read_definition(std::string_view text,
                                             const model::SpecReader* specs) {
  return read_whole(text, "definition", [specs](JsonReader& in) {
    model::JobDefinition definition;
    in.read_required("id", definition.id);
    in.read("description", definition.description);
    in.read_required("labels", definition.labels);
    in.read_required("dependencies", definition.dependencies);
    definition.spec = read_spec(in, specs);
    return definition;
  });
}

void write_parameters(std::string& out, const model::RunParameters& parameters) {
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("env", parameters.env);
  writer.member("description", parameters.description);
  if (parameters.started_by) {
    writer.key("startedBy").begin_object();
    writer.member("run", parameters.started_by->run.value);
    writer.member("name", parameters.started_by->name);
    writer.member("job", parameters.started_by->job_id).end_object();
  }
  writer.end_object();
}

Result<model::RunParameters> read_parameters(std::string_view text) {
  return read_whole(text, "parameters", [](JsonReader& in) {
    model::RunParameters parameters;
    in.read_required("env", parameters.env);
    in.read_required("description", parameters.description);
    if (!in.has("startedBy")) return parameters;
    JsonReader starter = in.inside("startedBy");
    parameters.started_by = read_starter(starter);
    return parameters;
  });
}

void write_labels(std::string& out, const StringPairs& labels) {
  JsonWriter writer(out);
  writer.value(labels);
}

Result<StringPairs> read_labels(std::string_view text) {
  return read_whole(text, "labels", [](JsonReader& in) {
    StringPairs labels;
    in.read_all(labels);
    return labels;
  });
}

}  // namespace docket::store
