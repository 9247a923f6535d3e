#pragma once

// The kind `test`: runs the tree that its spec describes, each leaf as a process that sleeps.
// Served only with --enable-test-api. Pure; see engine/kind.h.

#include "engine/kind.h"
#include "kinds/test/spec.h"

namespace docket::kinds {

class TestKind : public engine::Kind {
 public:
  std::string_view name() const override { return kTest; }
  model::SpecBodyPtr read(JsonReader& in) const override;
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override;
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override;
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override;
  Result<engine::Plan> asked(const engine::View& view, const engine::Asked& asked) const override;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override;
};

}  // namespace docket::kinds
