#pragma once

// Rows of the tables operation, listing and lane: rows.h for what is not a run of a job.

#include <string>

#include "store/sqlite/rows.h"

namespace docket::store {

// Whether a folded parent still shows this row: see engine::Fold::kKept.
bool is_kept(const model::Task& task);

// All columns of the table, in its order.
void bind_new_operation(Statement& insert, const model::Task& task, std::string& labels_buffer);
// counts, completed, total, children, failing, children_completed, children_total, unfolded.
Statement& bind_progress(Statement& update, const model::Tally& tally);
// DOCKET_OPERATION_COLUMNS. Fails when there is no such row, or a damaged one.
Result<> read_operation(RowReader& row, model::Task& task);

// task, module, lane, internal, until.
void bind_listing(Statement& upsert, const model::Listing& listing);
Result<model::Listing> read_listing(const Statement& row);
// DOCKET_TASK_ROW_COLUMNS, listing.until.
Result<engine::ListedRow> read_listed(const Statement& row);

// module, lane, last.
void bind_lane(Statement& upsert, const model::Lane& lane);
Result<model::Lane> read_lane(const Statement& row);

}  // namespace docket::store
