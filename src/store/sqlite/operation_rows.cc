#include "store/sqlite/operation_rows.h"

#include "store/sqlite/definition.h"

namespace docket::store {
namespace {

// The flags of an operation as bits of one column, in this order.
constexpr bool model::Operation::* kFlags[] = {
    &model::Operation::abortable, &model::Operation::internal, &model::Operation::cluster,
    &model::Operation::user,      &model::Operation::local,    &model::Operation::folds};
constexpr std::int64_t kFlagValues = std::int64_t{1} << std::size(kFlags);

std::int64_t flags_of(const model::Operation& what) {
  std::int64_t bits = 0;
  for (std::size_t at = 0; at < std::size(kFlags); ++at) {
    if (what.*kFlags[at]) bits |= std::int64_t{1} << at;
  }
  return bits;
}

void set_flags(model::Operation& what, std::int64_t bits) {
  for (std::size_t at = 0; at < std::size(kFlags); ++at) what.*kFlags[at] = (bits >> at & 1) != 0;
}

Result<> read_what(RowReader& read, model::Operation& what) {
  what.uuid = read.string();
  what.module = read.string();
  what.type = read.string();
  what.scope = read.string();
  what.keyspace = read.string();
  what.table = read.string();
  what.entity = read.string();
  what.units = read.string();
  if (!read.skip_null()) {
    Result<StringPairs> labels = read_labels(read.text());
    if (!labels) return fail(labels.error());
    what.labels = std::move(*labels);
  }
  what.lane = read.integer<std::uint32_t>();
  what.sequence = read.integer<std::uint64_t>();
  if (!read.skip_null()) what.expected = read.real();
  what.lease = Duration{read.integer()};
  set_flags(what, read.pick<std::int64_t>(kFlagValues));
  return {};
}

void read_tally(RowReader& read, model::Tally& tally) {
  tally.counts = read.flag();
  tally.completed = read.real();
  tally.total = read.real();
  tally.children = read.integer<std::uint64_t>();
  tally.failing = read.integer<std::uint64_t>();
  tally.children_completed = read.real();
  tally.children_total = read.real();
  tally.unfolded = read.integer<std::uint64_t>();
  tally.fold = read.integer<std::uint64_t>();
}

}  // namespace

bool is_kept(const model::Task& task) { return task.tally.fold != 0 && model::is_failing(task); }

void bind_new_operation(Statement& insert, const model::Task& task, std::string& labels_buffer) {
  const model::Operation& what = *task.operation;
  insert.bind(task.id.value)
      .bind(task.parent.value)
      .bind(what.uuid)
      .bind(what.module)
      .bind(what.type)
      .bind(what.scope)
      .bind(what.keyspace)
      .bind(what.table)
      .bind(what.entity)
      .bind(what.units);
  if (what.labels.empty()) {
    insert.bind_null();
  } else {
    labels_buffer.clear();
    write_labels(labels_buffer, what.labels);
    insert.bind(labels_buffer);
  }
  insert.bind(what.lane).bind(what.sequence);
  what.expected ? insert.bind(*what.expected) : insert.bind_null();
  insert.bind(what.lease.count()).bind(flags_of(what));
  bind_progress(insert, task.tally).bind(task.tally.fold).bind(is_kept(task));
}

Statement& bind_progress(Statement& update, const model::Tally& tally) {
  return update.bind(tally.counts)
      .bind(tally.completed)
      .bind(tally.total)
      .bind(tally.children)
      .bind(tally.failing)
      .bind(tally.children_completed)
      .bind(tally.children_total)
      .bind(tally.unfolded);
}

Result<> read_operation(RowReader& row, model::Task& task) {
  if (row.at_null()) return fail(ErrorKind::kInternal, "an operation without its row");
  auto what = std::make_shared<model::Operation>();
  if (Result<> read = read_what(row, *what); !read) return read;
  read_tally(row, task.tally);
  task.operation = std::move(what);
  return {};
}

void bind_listing(Statement& upsert, const model::Listing& listing) {
  upsert.bind(listing.task.value)
      .bind(listing.module)
      .bind(listing.lane)
      .bind(listing.internal)
      .bind(to_micros(listing.until));
}

Result<model::Listing> read_listing(const Statement& row) {
  RowReader read(row);
  model::Listing listing;
  listing.task = read.id<TaskId>();
  listing.module = read.string();
  listing.lane = read.integer<std::uint32_t>();
  listing.internal = read.flag();
  listing.until = read.time();
  if (!read.ok()) return damaged_row("listing", row.integer(0));
  return listing;
}

Result<engine::ListedRow> read_listed(const Statement& row) {
  Result<engine::TaskRow> task = read_task_row(row);
  if (!task) return fail(task.error());
  return engine::ListedRow{std::move(*task), from_micros(row.integer(kTaskRowColumns))};
}

void bind_lane(Statement& upsert, const model::Lane& lane) {
  upsert.bind(lane.module).bind(lane.lane).bind(lane.last);
}

Result<model::Lane> read_lane(const Statement& row) {
  RowReader read(row);
  model::Lane lane;
  lane.module = read.string();
  lane.lane = read.integer<std::uint32_t>();
  lane.last = read.integer<std::uint64_t>();
  return lane;
}

}  // namespace docket::store
