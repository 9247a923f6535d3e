#include "store/sqlite/operation_writer.h"

#include "store/sqlite/operation_rows.h"

namespace docket::store {
namespace {

#define DOCKET_PROGRESS                                                       \
  "UPDATE operation SET counts = ?, completed = ?, total = ?, children = ?, " \
  "failing = ?, children_completed = ?, children_total = ?, unfolded = ?"

// It has only what a live operation that a reporter owns can have.
bool is_plain(const model::Task& task) {
  return !model::is_final(task.state) && task.tally.fold == 0 && task.finished_at == kNever &&
         task.start_deadline == kNever && task.exit_code == 0 && task.signal == 0 &&
         task.message.empty() && !task.planned && !task.work;
}

}  // namespace

OperationWriter::OperationWriter(Database& database)
    : insert_(database,
              "INSERT INTO operation VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
              "?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_(database, DOCKET_PROGRESS ", fold = ?, kept = ? WHERE task = ?"),
      progress_(database, DOCKET_PROGRESS " WHERE task = ?"),
      drain_(database, "DELETE FROM listing WHERE module = ? AND until <> 9223372036854775807"),
      upsert_listing_(database, "INSERT OR REPLACE INTO listing VALUES (?, ?, ?, ?, ?)"),
      drop_listing_(database, "DELETE FROM listing WHERE task = ?"),
      drop_listings_(database, "DELETE FROM listing WHERE module = ?"),
      drop_lanes_(database, "DELETE FROM lane WHERE module = ?"),
      upsert_lane_(database, "INSERT OR REPLACE INTO lane VALUES (?, ?, ?)") {}

Result<> OperationWriter::prepared() const {
  for (const Statement* each : {&insert_, &update_, &progress_, &drain_, &upsert_listing_,
                                &drop_listing_, &drop_listings_, &drop_lanes_, &upsert_lane_}) {
    if (Result<> ready = each->prepared(); !ready) return ready;
  }
  return {};
}

bool OperationWriter::only_progress(const model::Task& operation) const {
  const auto found = written_.find(operation.id.value);
  if (found == written_.end() || !is_plain(operation)) return false;
  const Written& written = found->second;
  return written.state == operation.state && written.stopping == operation.stopping &&
         written.started_at == operation.started_at;
}

void OperationWriter::remember(const model::Task& operation) {
  if (is_plain(operation)) {
    written_.insert_or_assign(operation.id.value,
                              Written{operation.started_at, operation.state, operation.stopping});
  } else {
    written_.erase(operation.id.value);
  }
}

Result<> OperationWriter::put_progress(const model::Task& operation) {
  return bind_progress(progress_, operation.tally).bind(operation.id.value).run();
}

Result<> OperationWriter::put_new(const model::Task& operation) {
  if (!operation.operation) {
    return fail(ErrorKind::kInternal, "task " + std::to_string(operation.id.value) +
                                          " does not say what operation it is");
  }
  std::string labels;
  bind_new_operation(insert_, operation, labels);
  if (Result<> put = insert_.run(); !put) return put;
  remember(operation);
  return {};
}

Result<> OperationWriter::put_old(const model::Task& operation) {
  bind_progress(update_, operation.tally)
      .bind(operation.tally.fold)
      .bind(is_kept(operation))
      .bind(operation.id.value);
  if (Result<> put = update_.run(); !put) return put;
  remember(operation);
  return {};
}

Result<> OperationWriter::put_listings(const engine::Batch& batch) {
  for (const engine::Drain& each : batch.drains) {
    if (Result<> drained = drain_.bind(each.module).run(); !drained) return drained;
  }
  for (const std::string& module : batch.dropped_modules) {
    if (Result<> dropped = drop_module(module); !dropped) return dropped;
  }
  for (const model::Listing& listing : batch.listings) {
    if (Result<> put = put_listing(listing); !put) return put;
  }
  for (const model::Lane& lane : batch.lanes) {
    bind_lane(upsert_lane_, lane);
    if (Result<> put = upsert_lane_.run(); !put) return put;
  }
  return {};
}

Result<> OperationWriter::put_listing(const model::Listing& listing) {
  if (listing.until == kNever) return drop_listing_.bind(listing.task.value).run();
  bind_listing(upsert_listing_, listing);
  return upsert_listing_.run();
}

Result<> OperationWriter::drop_module(const std::string& module) {
  if (Result<> dropped = drop_listings_.bind(module).run(); !dropped) return dropped;
  return drop_lanes_.bind(module).run();
}

}  // namespace docket::store
