#include "dialects/scylla/module_walk.h"

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
#include "dialects/scylla/task_view.h"

namespace docket::scylla {
namespace {

bool admits(const std::optional<std::string>& wanted, std::string_view value) {
  return !wanted || *wanted == value;
}

bool is_cluster_task(const model::Task& task) { return task.operation && task.operation->cluster; }

}  // namespace

ModuleWalk::ModuleWalk(ModuleQuery query) : query_(std::move(query)) {
  if (query_.has_runs) add({.part = Part::kLiveRuns});
  for (const std::uint32_t lane : query_.lanes) {
    add({.part = Part::kLive, .lane = lane});
    add({.part = Part::kEnded, .lane = lane, .last = !query_.internal});
    // Tasks that have ended and are internal are not listed.
    if (query_.internal) add({.part = Part::kLive, .lane = lane, .internal = true, .last = true});
  }
  std::ranges::reverse(sources_);
}

void ModuleWalk::add(Source source) { sources_.push_back(source); }

Result<bool> ModuleWalk::write(engine::Reader& reader, std::string& out, std::size_t enough) {
  if (!std::exchange(begun_, true)) out += '[';
  while (out.size() < enough) {
    if (sources_.empty()) {
      out += ']';
      return false;
    }
    const auto more = write_page(reader, out);
    if (!more) return fail(more.error());
    if (*more) continue;
    end_source();
  }
  return true;
}

// Cluster tasks passed over come after the others of their lane.
void ModuleWalk::end_source() {
  const Source ended = sources_.back();
  sources_.pop_back();
  if (ended.last && std::exchange(passed_cluster_, false)) {
    add({.part = Part::kEnded, .lane = ended.lane, .cluster = true});
    add({.part = Part::kLive, .lane = ended.lane, .cluster = true});
  }
  if (ended.part == Part::kEnded || ended.internal) shown_alive_.clear();
  after_.reset();
  after_until_ = kNever;
}

Result<bool> ModuleWalk::write_page(engine::Reader& reader, std::string& out) {
  const Source source = sources_.back();
  return source.part == Part::kLiveRuns ? write_live_runs(reader, out)
                                        : write_listed(reader, out, source);
}

// Attempts are internal, because they have a parent.
Result<bool> ModuleWalk::write_live_runs(engine::Reader& reader, std::string& out) {
  using enum model::State;
  engine::TaskQuery query;
  query.states = {kCreated, kQueued, kRunning, kPaused};
  query.order = engine::Order::kOldestFirst;
  query.limit = engine::kMaxPage;
  query.after = after_;
  if (!query_.internal) query.parent = TaskId{};
  const auto page = reader.tasks(query);
  if (!page) return fail(page.error());
  for (const engine::TaskRow& row : *page) {
    if (!row.task.job || engine::module_of(row) != query_.module) continue;
    shown_alive_.push_back(row.task.id);
    write_row(out, row);
  }
  if (!page->empty()) after_ = page->back().task.id;
  return page->size() == query.limit;
}

Result<bool> ModuleWalk::write_listed(engine::Reader& reader, std::string& out,
                                      const Source& source) {
  engine::ListedQuery query;
  query.module = query_.module;
  query.lane = source.lane;
  query.internal = source.internal;
  query.now = query_.now;
  query.after = after_;
  query.after_until = after_until_;
  const bool alive = source.part == Part::kLive;
  if (alive && !after_) {
    query.after = TaskId{UINT64_MAX};
    query.after_until = model::kForever - Duration{1};
  }
  const auto page = reader.listed(query);
  if (!page) return fail(page.error());
  for (const engine::ListedRow& listed : *page) {
    if (!alive && listed.until == model::kForever) return false;
    write_listed_row(out, listed, source);
  }
  if (!page->empty()) {
    after_ = page->back().row.task.id;
    after_until_ = page->back().until;
  }
  return page->size() == query.limit;
}

void ModuleWalk::write_listed_row(std::string& out, const engine::ListedRow& listed,
                                  const Source& source) {
  const model::Task& task = listed.row.task;
  if (is_cluster_task(task) != source.cluster) {
    passed_cluster_ |= !source.cluster;
    return;
  }
  if (source.part == Part::kEnded && std::ranges::binary_search(shown_alive_, task.id)) return;
  if (source.part == Part::kLive) shown_alive_.push_back(task.id);
  write_row(out, listed.row);
}

void ModuleWalk::write_row(std::string& out, const engine::TaskRow& row) {
  const TaskView view(row, {});
  if (!admits(query_.keyspace, view.keyspace) || !admits(query_.table, view.table)) return;
  if (std::exchange(has_rows_, true)) out += ',';
  JsonWriter json(out);
  write_stats(json, view);
}

}  // namespace docket::scylla
