#include "model/flaws.h"

#include "core/text.h"

namespace docket::model {

void check_labels(const StringPairs& labels, std::string_view path, Flaws& flaws) {
  for (const auto& [name, value] : labels) {
    flaws.check(name, TextUse::kName, "{}/{}", path, name);
    flaws.check(value, TextUse::kProse, "{}/{}", path, name);
  }
}

const char* flaw_of_variable(std::string_view name, std::string_view value) {
  if (name.empty()) return "must have a name";
  if (name.find('=') != std::string_view::npos) return "must not have '=' in its name";
  if (flaw_of(name, TextUse::kName)) return "must not have control characters in its name";
  if (name.size() + 1 + value.size() > kExecTextMax) return kExecTextTooLong;
  return flaw_of(value, TextUse::kScript);
}

void check(const JobDefinition& definition, Flaws& flaws) {
  if (definition.description) flaws.check(*definition.description, TextUse::kProse, "/description");
  check_labels(definition.labels, "/labels", flaws);
}

void check(const RunParameters& parameters, Flaws& flaws) {
  for (const auto& [name, value] : parameters.env) {
    if (const char* flaw = flaw_of_variable(name, value)) flaws.add(flaw, "/env/{}", name);
  }
  flaws.check(parameters.description, TextUse::kProse, "/description");
}

}  // namespace docket::model
