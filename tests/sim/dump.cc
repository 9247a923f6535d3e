#include "sim/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace docket::sim {
namespace {

using engine::Engine;
using engine::JobEntry;

std::string show(const model::Demand& demand) {
  return fmt::format("{} {} {} {}", demand.cpus_micro, demand.mem_kib, demand.disk_kib,
                     demand.gpus);
}

std::string show(const model::Task& task) {
  return fmt::format(
      "task {} of {} job {}.{} {} {} stopping {} created {} started {} due {} until {}",
      task.id.value, task.parent.value, task.job.value, task.job_version,
      model::name_of(task.state), task.name, task.stopping, to_micros(task.created_at),
      to_micros(task.started_at), to_micros(task.due_at), to_micros(task.start_deadline));
}

bool has_folded(const engine::Node& step) {
  for (const engine::Node* at = &step; at; at = at->parent) {
    if (at->task.tally.fold != 0) return true;
  }
  return false;
}

// Folded steps, and what is below them, may still be in the memory of only one of the two engines.
void dump_steps(const engine::Node& run, std::vector<std::string>& lines) {
  for (const auto& [key, step] : run.steps()) {
    if (has_folded(*step)) continue;
    std::string cells;
    for (const auto& [cell, text] : step->task.planned->cells) cells += cell + "=" + text + " ";
    lines.push_back(fmt::format("step {} {} {} {} of {}", key, model::name_of(step->task.state),
                                cells, step->task.tally.children_completed,
                                step->task.tally.children_total));
  }
}

void dump_job(const Engine& engine, const JobEntry& entry, std::vector<std::string>& lines) {
  const model::JobStats& stats = entry.row.stats;
  std::vector<std::string> dependents;
  for (const JobEntry* child : entry.dependents) dependents.push_back(child->id());
  std::ranges::sort(dependents);
  lines.push_back(fmt::format(
      "job {} {}.{} +{} -{} at {} {} last {} dependency {} held {} terminating {} dependents {}",
      entry.id(), entry.job().uid.value, entry.job().version, stats.success_count,
      stats.failure_count, to_micros(stats.last_success_at), to_micros(stats.last_failure_at),
      model::name_of(entry.row.last_run_state), to_micros(entry.row.dependency_started_at),
      entry.row.held_back, entry.terminating, fmt::join(dependents, " ")));
  for (const auto& [id, uid] : entry.schedules) {
    const model::Schedule& schedule = *engine.schedule(uid);
    lines.push_back(fmt::format(
        "schedule {} {} {} {} {} {} checked {}", uid.value, id, schedule.definition.cron.text(),
        schedule.definition.zone.name(), schedule.definition.enabled,
        schedule.definition.starting_deadline_s, to_micros(schedule.checked_until)));
  }
  for (const auto& [id, run] : entry.active) {
    lines.push_back(show(run->task) +
                    fmt::format(" live {} set {}", run->live_attempts, run->clock_set.count()));
    dump_steps(*run, lines);
  }
}

std::string show(const engine::Node& node) {
  const model::Task& task = node.task;
  std::vector<std::uint64_t> children;
  for (const auto& [id, child] : node.children()) {
    if (!child->is_final()) children.push_back(id.value);
  }
  const model::Tally& tally = task.tally;
  return fmt::format(
      "operation {} below {} {} {} stopping {} {} of {} reported {} children {} failing {} {} of "
      "{} unfolded {} live {}",
      task.id.value, node.parent ? node.parent->task.id.value : 0, model::name_of(task.state),
      model::uuid_of(task), task.stopping, tally.completed, tally.total, tally.counts,
      tally.children, tally.failing, tally.children_completed, tally.children_total, tally.unfolded,
      fmt::join(children, " "));
}

void dump_operations(const Engine& engine, const std::set<TaskId>& operations,
                     std::vector<std::string>& lines) {
  for (const TaskId id : operations) {
    const engine::Node* node = engine.operations().find(id);
    lines.push_back(node ? show(*node) : fmt::format("operation {} is gone", id.value));
  }
  lines.push_back(fmt::format("{} operations", engine.operations().live()));
  for (const std::string& module : engine.modules()) {
    lines.push_back(fmt::format("module {} {}", module, fmt::join(engine.lanes(module), " ")));
  }
}

}  // namespace

std::vector<std::string> dump(const Engine& engine, const std::set<TaskId>& operations) {
  std::vector<std::string> lines;
  for (const auto& [id, entry] : engine.jobs()) dump_job(engine, *entry, lines);
  std::set<TaskId> attempts;
  for (const auto& [executor, live] : engine.live_attempts()) {
    for (const engine::AttemptQuery& each : live) attempts.insert(each.token);
  }
  for (const TaskId attempt : attempts) {
    const engine::Node& node = *engine.find_task(attempt);
    lines.push_back(show(node.task));
    if (node.parent->is_final()) lines.push_back("ended " + show(node.parent->task));
  }
  for (const auto& [name, lock] : engine.locks().all()) {
    lines.push_back(fmt::format("lock {} {} held by {} since {}", name, lock.fencing,
                                lock.holder.value, to_micros(lock.held_since)));
  }
  for (const auto& [id, waits] : engine.queue().waiting()) {
    lines.push_back(
        fmt::format("waits {} for {}", id.value, show(*engine.queue().demand_of(*waits.task))));
  }
  lines.push_back(fmt::format("queue {} running {} free {}", engine.queue().size(),
                              engine.queue().running(), show(engine.queue().free())));
  for (const auto& [path, at] : engine.secrets()) {
    lines.push_back(fmt::format("secret {} {}", path, to_micros(at)));
  }
  dump_operations(engine, operations, lines);
  return lines;
}

std::string difference(const std::vector<std::string>& left,
                       const std::vector<std::string>& right) {
  const auto [a, b] = std::ranges::mismatch(left, right);
  if (a == left.end() && b == right.end()) return {};
  return fmt::format("\"{}\" but \"{}\"", a == left.end() ? "nothing" : *a,
                     b == right.end() ? "nothing" : *b);
}

}  // namespace docket::sim
