#pragma once

// The kind `test`: runs the tree that its spec tells, each leaf as a process that sleeps. Served
// only with --enable-test-api. Pure; see engine/kind.h.

#include "engine/kind.h"
#include "kinds/test/spec.h"

namespace docket::kinds {

class TestKind : public engine::Kind {
 public:
  std::string_view name() const override { return kTest; }
  model::SpecBodyPtr read(JsonReader& in) const override;
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override;
  model::Demand demand(const model::Job& job) const override;
  const std::vector<model::LockWish>& locks(const model::Job& job) const override;
  const std::vector<model::Constraint>& constraints(const model::Job& job) const override;
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override;

 private:
  const std::vector<model::Constraint> no_constraints_;
};

}  // namespace docket::kinds
