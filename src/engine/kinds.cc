#include "engine/kinds.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/json_reader.h"

namespace docket::engine {
namespace {

// Stands for a kind that this server does not have.
class AbsentKind : public Kind {
 public:
  std::string_view name() const override { return ""; }
  model::SpecBodyPtr read(JsonReader&) const override { return nullptr; }
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override {
    flaws.add(fmt::format("must be a kind of this server: it has no '{}'", definition.spec.kind),
              "/kind");
  }
  model::Needs needs(const model::Job&, const model::RunParameters*,
                     std::string_view) const override {
    return {};
  }
  Plan plan(const View& view, const Happening& happening) const override {
    const auto* ended = std::get_if<Ended>(&happening);
    if (ended && ended->report.succeeded()) return {Finish{}};
    return {Stop{}, Finish{model::State::kFailed, no_kind(view.job())}};
  }
  Result<PayloadPtr> payload(const View& view, const Node&, TaskId,
                             const SecretSource&) const override {
    return fail(ErrorKind::kInvalid, no_kind(view.job()));
  }

 private:
  static std::string no_kind(const model::Job& job) {
    return fmt::format("This server has no kind '{}'", job.definition.spec.kind);
  }
};

const AbsentKind kAbsent;

}  // namespace

Result<Plan> Kind::asked(const View&, const Asked& asked) const {
  return fail(ErrorKind::kInvalid,
              fmt::format("A run of kind '{}' has no word '{}'", name(), asked.word));
}

const Kind* Kinds::find(std::string_view name) const {
  const auto found = std::ranges::find(kinds_, name, &Kind::name);
  return found == kinds_.end() ? nullptr : *found;
}

const Kind& Kinds::of(const model::Spec& spec) const {
  const Kind* kind = find(spec.kind);
  return kind ? *kind : kAbsent;
}

model::SpecBodyPtr Kinds::read_spec(std::string_view name, JsonReader& in) const {
  const Kind* kind = find(name);
  return kind ? kind->read(in) : nullptr;
}

}  // namespace docket::engine
