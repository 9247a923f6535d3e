#pragma once

// What doors and kinds keep beside jobs: a topology, credentials, profiles. The store and the
// engine do not look inside; only the door and the kind of a family read its records.

#include <string>

#include "core/ids.h"
#include "core/string_pairs.h"
#include "core/time.h"

namespace docket::model {

struct Record {
  RecordId id = {};
  std::string family = {};  // "rollout.node"
  RecordId parent = {};     // of whatever family; none: it has none
  std::string name = {};    // unique among those of its family below its parent
  std::string text = {};    // a JSON object; nothing secret
  StringPairs sealed = {};  // secret members by name, as they are stored: never plain
  Time created_at = kNever;
  Time modified_at = kNever;
  std::string created_by = {};  // a user of the access list; empty: nobody in particular
  std::string modified_by = {};
  bool operator==(const Record&) const = default;
};

}  // namespace docket::model
