#pragma once

// A kind that is asked twice: a plan must depend on what the kind sees, and on nothing else.

#include "engine/kind.h"
#include "sim/verdict.h"

namespace docket::sim {

class Twice : public engine::Kind {
 public:
  Twice(const engine::Kind& kind, Verdict& verdict) : kind_(kind), verdict_(verdict) {}

  std::string_view name() const override { return kind_.name(); }
  bool has_jobs() const override { return kind_.has_jobs(); }
  model::SpecBodyPtr read(JsonReader& in) const override { return kind_.read(in); }
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override {
    kind_.check(definition, flaws);
  }
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override {
    return kind_.needs(job, parameters, key);
  }
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override {
    engine::Plan plan = kind_.plan(view, happening);
    verdict_.require(plan == kind_.plan(view, happening), "a plan made twice is the same",
                     std::string(name()));
    return plan;
  }
  Result<engine::Plan> asked(const engine::View& view, const engine::Asked& asked) const override {
    auto plan = kind_.asked(view, asked);
    const auto again = kind_.asked(view, asked);
    verdict_.require(plan.has_value() == again.has_value() && (!plan || *plan == *again),
                     "a plan made twice is the same", std::string(name()));
    return plan;
  }
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override {
    return kind_.payload(view, of, attempt, secrets);
  }

 private:
  const engine::Kind& kind_;
  Verdict& verdict_;
};

}  // namespace docket::sim
