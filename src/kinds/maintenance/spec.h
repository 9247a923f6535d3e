#pragma once

// The spec of the kind `maintenance`: one chore of docket's own housekeeping.
//
//   {"chore": "backup", "file": "monday.db"}
//   {"chore": "verify", "families": ["job", "task"]}

#include "exec/care/launch.h"
#include "model/flaws.h"
#include "model/spec.h"

namespace docket::kinds {

inline constexpr const char* kMaintenance = "maintenance";

struct MaintenanceSpec {
  care::CareWork work;
};

void write_spec(JsonWriter& out, const MaintenanceSpec& spec);
MaintenanceSpec read_maintenance_spec(JsonReader& in);
model::Spec spec_of(MaintenanceSpec maintenance);
const MaintenanceSpec* maintenance_of(const model::Spec& spec);  // null: of another kind

// Flaws: an unknown family; a file that could be outside the directory. (Names have 1 to 128 of
// A-Z a-z 0-9 _ - . and do not begin with a dot.) Paths are members of the spec: "/file".
void check(const care::CareWork& work, model::Flaws& flaws);

}  // namespace docket::kinds
