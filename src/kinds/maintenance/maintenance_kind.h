#pragma once

// docket's own housekeeping as runs: each is one attempt of the care executor, and they run one
// after the other. A run that is asked to stop ends once its half-done work is cleaned up. A run
// that its server left unfinished has failed.

#include <string>
#include <vector>

#include "engine/kind.h"
#include "kinds/maintenance/spec.h"

namespace docket::kinds {

// Held by the run that works. A job that takes this lock keeps housekeeping away while it runs.
inline constexpr const char* kMaintenanceLock = "docket.maintenance";
// The message of a run that its server left unfinished.
inline constexpr const char* kServerEnded = "The server ended before this did";

class MaintenanceKind : public engine::Kind {
 public:
  std::string_view name() const override { return kMaintenance; }
  bool has_jobs() const override { return false; }  // chores are ordered (orders.h)
  model::SpecBodyPtr read(JsonReader& in) const override;
  void check(const model::JobDefinition& definition, model::Flaws& flaws) const override;
  model::Needs needs(const model::Job&, const model::RunParameters*,
                     std::string_view) const override {
    return {.locks = locks_};
  }
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override;

 private:
  std::vector<model::LockRequest> locks_{{.name = kMaintenanceLock}};
};

}  // namespace docket::kinds
