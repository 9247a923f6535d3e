#pragma once

// What is kept of the clock (model/clock.h): one row, and one for each step that live runs lived
// through. A part of Writer and of the loader, same threads and transactions.

#include <optional>

#include "core/result.h"
#include "model/clock.h"
#include "store/sqlite/database.h"

namespace docket::store {

class ClockWriter {
 public:
  explicit ClockWriter(Database& database);
  Result<> prepared() const;
  Result<> put(const model::ClockRecord& record);  // replaces what was there

 private:
  Statement upsert_, drop_steps_, insert_step_;
};

Result<std::optional<model::ClockRecord>> load_clock(Database& database);

}  // namespace docket::store
