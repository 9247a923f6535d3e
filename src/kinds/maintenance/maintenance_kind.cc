#include "kinds/maintenance/maintenance_kind.h"

#include "core/exit_words.h"

namespace docket::kinds {
namespace {

using engine::Finish;
using engine::Launch;
using engine::Plan;
using engine::View;
using model::State;

std::string why(const engine::AttemptReport& report) {
  if (report.phase == engine::AttemptPhase::kLost) return kServerEnded;
  if (!report.message.empty() || report.signal != 0) return report.message;
  return words_of_exit(report.exit_code, 0);
}

Plan finish(const View& view, const engine::AttemptReport& report) {
  if (report.succeeded()) return {Finish{}};
  const bool asked = view.run().task.stopping;
  return {Finish{asked ? State::kAborted : State::kFailed, why(report)}};
}

}  // namespace

model::SpecBodyPtr MaintenanceKind::read(JsonReader& in) const {
  return spec_of(read_maintenance_spec(in)).body;
}

void MaintenanceKind::check(const model::JobDefinition& definition, model::Flaws& flaws) const {
  if (!definition.id.empty()) flaws.add("is not for jobs", "/kind");
  kinds::check(maintenance_of(definition.spec)->work, flaws);
}

Plan MaintenanceKind::plan(const View& view, const engine::Happening& happening) const {
  if (const auto* ended = std::get_if<engine::Ended>(&happening)) {
    return finish(view, ended->report);
  }
  if (std::holds_alternative<engine::Stopping>(happening)) return {engine::Stop{}};
  if (view.attempts() > 0) return {};
  return {Launch{.executor = care::kName}};
}

Result<engine::PayloadPtr> MaintenanceKind::payload(const View& view, const engine::Node&, TaskId,
                                                    const engine::SecretSource&) const {
  return engine::payload_of(maintenance_of(view.job().definition.spec)->work);
}

}  // namespace docket::kinds
