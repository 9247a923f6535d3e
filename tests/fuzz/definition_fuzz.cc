// kinds/process/codec and store/sqlite/definition: the JSON that stands in the store. Whatever can
// be read can be written and read again without a loss.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/json_writer.h"
#include "engine/kinds.h"
#include "fuzz/fuzz.h"
#include "kinds/process/process_kind.h"
#include "kinds/process/spec.h"
#include "store/sqlite/definition.h"

namespace docket::fuzz {
namespace {

const kinds::ProcessKind kProcess{std::chrono::seconds{3}};
const engine::Kinds kKinds{&kProcess};

Result<model::JobDefinition> read_definition(std::string_view text) {
  return store::read_definition(text, &kKinds);
}

template <class Value>
void check(std::string_view input, Result<Value> (*read)(std::string_view),
           void (*write)(std::string&, const Value&)) {
  const Result<Value> value = read(input);
  if (!value) {
    require(value.error().kind == ErrorKind::kInternal, "damage is kInternal");
    return;
  }
  std::string text;
  write(text, *value);
  const Result<Value> again = read(text);
  require(again.has_value(), "what was written can be read", text);
  require(*again == *value, "and is the same", text);
}

bool has_nul(const boost::json::value& value) {
  if (const auto* text = value.if_string()) {
    return std::string_view(*text).find('\0') != std::string_view::npos;
  }
  if (const auto* array = value.if_array()) {
    for (const auto& item : *array) {
      if (has_nul(item)) return true;
    }
  }
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) {
      if (std::string_view(name).find('\0') != std::string_view::npos || has_nul(member))
        return true;
    }
  }
  return false;
}

void check_flaws(std::string_view input) {
  auto definition = read_definition(input);
  if (!definition || !kKinds.find(definition->spec.kind)) return;
  model::Flaws found;
  model::check(*definition, found);
  kKinds.of(definition->spec).check(*definition, found);
  const auto flaws = found.take();
  require(flaws.size() <= model::kFlawsMax, "no more flaws than the limit");
  for (const FieldError& flaw : flaws) {
    require(flaw.path.starts_with('/') && !flaw.errors.empty(), "flaws are somewhere", flaw.path);
  }
  if (!flaws.empty()) return;
  definition->id = "a";  // ids have patterns of their own
  definition->dependencies.clear();
  std::string text;
  store::write_definition(text, *definition);
  require(!has_nul(*parse_json(text)), "without flaws no text has a NUL", text);
}

kinds::ProcessSpec read_spec(std::string_view text, JsonComplaints& complaints) {
  const auto value = parse_json(text);
  JsonReader in(*value, complaints);
  return kinds::read_process_spec(in);
}

void check_spec(std::string_view input) {
  if (!parse_json(input)) return;
  JsonComplaints complaints;
  const auto spec = read_spec(input, complaints);
  if (!complaints.list.empty()) return;
  std::string text;
  JsonWriter writer(text);
  kinds::write_spec(writer, spec);
  require(read_spec(text, complaints) == spec && complaints.list.empty(),
          "a spec written and read is the same", text);
}

void run(std::string_view input) {
  check(input, read_definition, store::write_definition);
  check(input, store::read_parameters, store::write_parameters);
  check(input, store::read_labels, store::write_labels);
  check_flaws(input);
  check_spec(input);
}

const Target kTarget("definition", run);

}  // namespace
}  // namespace docket::fuzz
