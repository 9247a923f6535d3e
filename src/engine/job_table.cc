#include "engine/job_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace docket::engine {

JobEntry* JobTable::find(const std::string& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second.get();
}

JobEntry* JobTable::find(JobUid uid) const {
  const auto it = by_uid_.find(uid);
  return it == by_uid_.end() ? nullptr : it->second;
}

JobEntry& JobTable::insert(JobRow row) {
  auto entry = std::make_unique<JobEntry>();
  entry->row = std::move(row);
  JobEntry& inserted = *entry;
  by_uid_.emplace(inserted.job().uid, &inserted);
  by_id_.emplace(inserted.id(), std::move(entry));
  ++by_kind_[inserted.job().definition.spec.kind];
  if (const auto terminating = terminating_.extract(inserted.id()))
    inserted.terminating = terminating.mapped();
  link(inserted);
  return inserted;
}

void JobTable::erase(JobEntry& entry) {
  unlink(entry);
  if (entry.terminating > 0) terminating_.emplace(entry.id(), entry.terminating);
  by_uid_.erase(entry.job().uid);
  const auto kind = by_kind_.find(entry.job().definition.spec.kind);
  if (--kind->second == 0) by_kind_.erase(kind);
  by_id_.erase(by_id_.find(entry.id()));
}

void JobTable::set_definition(JobEntry& entry, model::JobPtr job) {
  unlink(entry);
  entry.row.job = std::move(job);
  link(entry);
}

void JobTable::add_terminating(const std::string& id) {
  JobEntry* entry = find(id);
  ++(entry ? entry->terminating : terminating_[id]);
}

void JobTable::remove_terminating(const std::string& id) {
  if (JobEntry* entry = find(id)) {
    --entry->terminating;
  } else if (const auto it = terminating_.find(id); --it->second == 0) {
    terminating_.erase(it);
  }
}

void JobTable::link_all() {
  for (const auto& [id, entry] : by_id_) {
    unlink(*entry);
    link(*entry);
  }
}

void JobTable::link(JobEntry& entry) {
  for (const std::string& parent : entry.job().definition.dependencies) {
    if (JobEntry* found = find(parent)) found->dependents.push_back(&entry);
  }
}

void JobTable::unlink(JobEntry& entry) {
  for (const std::string& parent : entry.job().definition.dependencies) {
    if (JobEntry* found = find(parent)) std::erase(found->dependents, &entry);
  }
}

// A child that failed counts as not started for successes after its start ([rule]).
ParentState JobTable::parent_state(const JobEntry& child, const std::string& parent_id) const {
  const Time baseline = std::max(child.row.stats.last_success_at, child.row.dependency_started_at);
  const JobEntry* parent = find(parent_id);
  if (!parent) return ParentState::kUnknown;
  if (!parent->active.empty()) return ParentState::kActive;
  if (parent->row.last_run_state == model::State::kCreated) return ParentState::kNeverRan;
  if (parent->row.last_run_state != model::State::kDone) return ParentState::kFailed;
  return parent->row.stats.last_success_at <= baseline ? ParentState::kNotSince
                                                       : ParentState::kReady;
}

Result<> JobTable::check_dependencies(const model::JobDefinition& definition) const {
  std::vector<std::string> unknown;
  for (const std::string& parent : definition.dependencies) {
    if (!find(parent)) unknown.push_back(parent);
  }
  if (!unknown.empty()) {
    return fail(ErrorKind::kInvalid, fmt::format("Dependencies contain unknown jobs. unknown=[{}]",
                                                 fmt::join(unknown, ", ")));
  }
  std::set<const JobEntry*> seen;
  for (const std::string& parent : definition.dependencies) {
    if (parent == definition.id || reaches(*find(parent), definition.id, seen)) {
      return fail(ErrorKind::kInvalid, "Dependencies have a cycle.");
    }
  }
  return {};
}

bool JobTable::reaches(const JobEntry& from, const std::string& target,
                       std::set<const JobEntry*>& seen) const {
  std::vector<const JobEntry*> open{&from};
  while (!open.empty()) {
    const JobEntry* entry = open.back();
    open.pop_back();
    if (!seen.insert(entry).second) continue;
    for (const std::string& parent : entry->job().definition.dependencies) {
      if (parent == target) return true;
      if (const JobEntry* next = find(parent)) open.push_back(next);
    }
  }
  return false;
}

}  // namespace docket::engine
