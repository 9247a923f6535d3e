#pragma once

// A job: a named, versioned definition. Immutable once made: a change is a new version behind a new
// pointer, so a run keeps the spec and the names it started with by keeping the pointer.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/string_pairs.h"
#include "core/time.h"
#include "model/spec.h"

namespace docket::model {

// What a client may set; everything else is the engine's.
struct JobDefinition {
  std::string id;  // "prod.email": dots make groups
  std::optional<std::string> description;
  StringPairs labels;
  std::vector<std::string> dependencies;  // ids of parent jobs
  Spec spec;
  bool operator==(const JobDefinition&) const = default;
};

struct Job {
  JobUid uid;
  std::uint32_t version = 1;  // rises with every update
  Time created_at = kNever;
  Time updated_at = kNever;
  JobDefinition definition;

  const std::string& id() const { return definition.id; }
};
// Shared by the job table, by every run of this version, and by batches on their way to the store.
using JobPtr = std::shared_ptr<const Job>;

// Running totals of finished runs; they outlive the runs that retention removes.
struct JobStats {
  std::uint64_t success_count = 0;
  std::uint64_t failure_count = 0;
  Time last_success_at = kNever;
  Time last_failure_at = kNever;
  bool operator==(const JobStats&) const = default;
};

}  // namespace docket::model
