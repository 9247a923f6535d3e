#include "kinds/process/spec.h"

#include <memory>

namespace docket::kinds {

namespace {

using Body = model::SpecOf<ProcessSpec>;

}  // namespace

model::Spec spec_of(ProcessSpec process) {
  return {.kind = kProcess, .body = std::make_shared<const Body>(std::move(process))};
}

const ProcessSpec& process_of(const model::Spec& spec) {
  return static_cast<const Body&>(*spec.body).value;
}

ProcessSpec& change_process(model::Spec& spec) {
  auto changed = std::make_shared<Body>(spec.body ? process_of(spec) : ProcessSpec{});
  spec = {.kind = kProcess, .body = changed};
  return changed->value;
}

}  // namespace docket::kinds
