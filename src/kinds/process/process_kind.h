#pragma once

// The kind `process`: one command on one node, attempted again as its restart policy says. Pure;
// see engine/kind.h.

#include "engine/kind.h"
#include "kinds/process/spec.h"

namespace docket::kinds {

class ProcessKind : public engine::Kind {
 public:
  // default_grace: between SIGTERM and SIGKILL where the job names none.
  explicit ProcessKind(Duration default_grace) : default_grace_(default_grace) {}

  std::string_view name() const override { return kProcess; }
  model::SpecBodyPtr read(JsonReader& in) const override;
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override;
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override;
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override;

 private:
  Duration default_grace_;
};

}  // namespace docket::kinds
