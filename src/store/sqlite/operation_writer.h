#pragma once

// Puts operations, listings and lanes into their tables: a part of Writer, same thread and same
// transaction. Most puts of an operation are reports of its progress, many thousands a second, so
// what was last written of each live one is remembered: as long as only its tally changes, a put is
// one update of a few columns that no index has.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/batch.h"
#include "store/sqlite/database.h"

namespace docket::store {

class OperationWriter {
 public:
  explicit OperationWriter(Database& database);
  Result<> prepared() const;
  void forget_cached() { written_.clear(); }  // after a rollback

  // Whether the row of the table task is there and as it should be.
  bool only_progress(const model::Task& operation) const;
  Result<> put_progress(const model::Task& operation);
  // For an operation whose row of the table task is new or changed.
  Result<> put_new(const model::Task& operation);
  Result<> put_old(const model::Task& operation);

  // Drains, dropped modules, listings, lanes.
  Result<> put_listings(const engine::Batch& batch);

 private:
  // Of the row in the table task: what may change while its operation is live.
  struct Written {
    Time started_at;
    model::State state;
    bool stopping;
  };
  void remember(const model::Task& operation);
  Result<> put_listing(const model::Listing& listing);
  Result<> drop_module(const std::string& module);

  Statement insert_, update_, progress_;
  Statement drain_, upsert_listing_, drop_listing_, drop_listings_, drop_lanes_, upsert_lane_;
  std::unordered_map<std::uint64_t, Written> written_;  // live operations by task
};

}  // namespace docket::store
