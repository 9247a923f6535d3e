#include "engine/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ranges>
#include <utility>

#include "core/text.h"

namespace docket::engine {
namespace {

using model::EventType;
using model::State;

constexpr std::size_t kNameMax = 64;    // bytes of a module's name
constexpr std::size_t kTextMax = 1024;  // bytes of any other text
constexpr std::size_t kLabelsMax = 64;
constexpr std::uint32_t kLaneMax = 1'000'000;
constexpr Duration kLate = std::chrono::seconds{1};  // in seeing that a lease has run out

tl::unexpected<Error> invalid(const char* field, const char* why) {
  return fail({.kind = ErrorKind::kInvalid,
               .message = fmt::format("{} {}", field, why),
               .fields = {{field, {why}}},
               .subject = {}});
}

Error not_found(const char* subject) {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("There is no such {}", subject),
          .fields = {},
          .subject = subject};
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= kNameMax && std::ranges::all_of(text, allowed);
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (dash ? text[i] != '-' : !digit) return false;
  }
  return true;
}

bool is_amount(const std::optional<double>& value) {
  return !value || (std::isfinite(*value) && *value >= 0);
}

}  // namespace

Operations::Operations(const Settings& settings, TaskTree& tree, Journal& journal)
    : settings_(settings), tree_(tree), journal_(journal) {}

void Operations::restore(const Snapshot& snapshot, Time now) {
  for (const model::Lane& lane : snapshot.lanes) modules_[lane.module][lane.lane] = lane.last;
  std::vector<TaskId> orphans;
  std::vector<TaskId> ended;
  for (const model::Task& task : snapshot.tasks) {
    if (!task.operation || task.job) continue;
    insert(task);
    if (model::is_final(task.state)) {
      ended.push_back(task.id);
    } else if (task.operation->local) {
      orphans.push_back(task.id);
    }
  }
  for (const TaskId id : ended | std::views::reverse) {
    Node& node = tree_.at(id);
    if (node.staying == 0) tree_.drop(node);
  }
  end_all(std::move(orphans), State::kFailed, "The server ended before this did", now);
}

// ---- modules

void Operations::add_module(const std::string& name) {
  const auto [module, is_new] = modules_.try_emplace(name);
  if (!is_new) return;
  module->second[0] = 0;
  put_lane({name, 0, 0});
}

void Operations::add_lane(const std::string& module, std::uint32_t lane) {
  add_module(module);
  if (modules_[module].try_emplace(lane, 0).second) put_lane({module, lane, 0});
}

void Operations::put_lane(const model::Lane& lane) {
  journal_.batch().lanes.push_back(lane);
  tree_.count_change();
}

bool Operations::has_module(const std::string& name) const { return modules_.contains(name); }

std::vector<std::string> Operations::modules() const {
  std::vector<std::string> names;
  for (const auto& [name, lanes] : modules_) names.push_back(name);
  return names;
}

std::vector<std::uint32_t> Operations::lanes(const std::string& module) const {
  std::vector<std::uint32_t> numbers;
  const auto found = modules_.find(module);
  if (found == modules_.end()) return numbers;
  for (const auto& [lane, last] : found->second) numbers.push_back(lane);
  return numbers;
}

// Applies to what this tick has listed so far as well as to what the store lists.
void Operations::drain(const std::string& name) {
  Batch& batch = journal_.batch();
  for (model::Listing& listing : batch.listings) {
    if (listing.module == name && listing.until != model::kForever) listing.until = kNever;
  }
  batch.drains.push_back({name});
}

Result<> Operations::drop_module(const std::string& name, Time now) {
  if (!modules_.contains(name)) return fail(not_found("module"));
  std::vector<TaskId> tasks;
  tree_.for_each([&](const Node& node) {
    const bool of_it = node.is_reported() && node.what().module == name;
    if (of_it && !node.is_final()) tasks.push_back(node.task.id);
  });
  end_all(std::move(tasks), State::kAborted, "", now);
  Batch& batch = journal_.batch();
  for (model::Listing& listing : batch.listings) {
    if (listing.module == name) listing.until = kNever;
  }
  std::erase_if(batch.lanes, [&name](const model::Lane& lane) { return lane.module == name; });
  batch.dropped_modules.push_back(name);
  tree_.count_change();
  modules_.erase(name);
  return {};
}

// All tasks of a tree have the number of its root. A cluster task has none: what is below it
// counts as a root for its number.
std::uint64_t Operations::number_for(const model::Operation& what, const Node* above) {
  if (above && !above->what().cluster) return above->what().sequence;
  return what.cluster ? 0 : next_number(what.module, what.lane);
}

std::uint64_t Operations::next_number(const std::string& module, std::uint32_t lane) {
  add_module(module);
  const std::uint64_t number = ++modules_[module][lane];
  put_lane({module, lane, number});
  return number;
}

// ---- the life of an operation

Result<> Operations::check(const model::Operation& what) const {
  if (!is_name(what.module)) return invalid("module", "must be 1 to 64 of A-Z a-z 0-9 _ - .");
  if (!what.uuid.empty() && !is_uuid(what.uuid))
    return invalid("uuid", "must be a lower-case UUID");
  if (model::task_of_uuid(what.uuid)) return invalid("uuid", "is one that docket makes itself");
  if (by_uuid_.contains(what.uuid)) {
    return fail(ErrorKind::kConflict, "a task with this uuid is running");
  }
  for (const auto& [field, text] : {std::pair{"type", &what.type},
                                    {"scope", &what.scope},
                                    {"keyspace", &what.keyspace},
                                    {"table", &what.table},
                                    {"entity", &what.entity},
                                    {"units", &what.units}}) {
    if (text->size() > kTextMax) return invalid(field, "must have at most 1024 bytes");
    if (const char* flaw = flaw_of(*text, TextUse::kName)) return invalid(field, flaw);
  }
  if (what.labels.size() > kLabelsMax) return invalid("labels", "must be at most 64");
  for (const auto& [name, value] : what.labels) {
    if (name.empty() || name.size() + value.size() > kTextMax) {
      return invalid("labels", "must have names, and at most 1024 bytes each");
    }
    if (const char* flaw = flaw_of(name, TextUse::kName)) return invalid("labels", flaw);
    if (const char* flaw = flaw_of(value, TextUse::kProse)) return invalid("labels", flaw);
  }
  if (what.lane > kLaneMax) return invalid("lane", "must be at most 1000000");
  if (!is_amount(what.expected)) return invalid("expected", "must be a number from 0");
  if (what.lease < Duration::zero()) return invalid("lease", "must not be below 0");
  return {};
}

Result<> Operations::number(model::Operation& what) { return number(what, nullptr); }

Result<> Operations::number(model::Operation& what, const Node* above) {
  if (auto sound = check(what); !sound) return sound;
  if (what.cluster) what.lane = 0;  // it has no lane: its module lists it in the first
  what.sequence = number_for(what, above);
  add_lane(what.module, what.lane);
  return {};
}

Result<const Node*> Operations::create(model::Operation what, TaskId parent, bool begins, Time now,
                                       Duration began_ago) {
  if (!journal_.refusal().empty()) return fail(ErrorKind::kExhausted, journal_.refusal());
  if (live_ >= settings_.operations_max) {
    return fail(ErrorKind::kExhausted, fmt::format("there are {} live operations already", live_));
  }
  Node* above = nullptr;
  if (parent) {
    above = live(parent);
    if (!above) return fail(not_found("parent"));
    if (what.module.empty()) what.module = above->what().module;
    if (what.module != above->what().module) return invalid("module", "must be the parent's");
    if (what.cluster) return invalid("cluster", "is for roots only");
    what.internal = true;
  }
  if (auto numbered = number(what, above); !numbered) return fail(std::move(numbered.error()));
  model::Task task;
  task.id = journal_.new_task();
  task.parent = parent;
  task.root = above ? above->task.root : task.id;
  task.kind = model::TaskKind::kOperation;
  task.created_at = now;
  task.operation = std::make_shared<const model::Operation>(std::move(what));
  Node& node = insert(std::move(task));
  tree_.touch(node);
  tree_.log(node, EventType::kTaskCreated, State::kCreated, {}, now);
  list_live(node);
  renew(node, now);
  if (above && is_stopping(*above)) {  // it ends before it begins, and has both instants
    node.task.started_at = now;
    end(node, State::kAborted, {}, now);
    return &node;
  }
  if (begins) {
    tree_.change(node, State::kRunning, {}, now);
    node.task.started_at = now - began_ago;
  }
  return &node;
}

Result<const Node*> Operations::begin(TaskId id, Time now) {
  Node* found = live(id);
  if (!found) return fail(not_found("task"));
  Node& node = *found;
  renew(node, now);
  confirm(node);
  if (node.task.state == State::kCreated) tree_.change(node, State::kRunning, {}, now);
  return &node;
}

Result<const Node*> Operations::report(TaskId id, const Report& report, Time now) {
  Node* found = live(id);
  if (!found) return fail(not_found("task"));
  if (!is_amount(report.completed)) return invalid("completed", "must be a number from 0");
  if (!is_amount(report.total)) return invalid("total", "must be a number from 0");
  Node& node = *found;
  renew(node, now);
  if (!report.completed && !report.total) return &node;
  confirm(node);
  const model::Tally before = node.task.tally;
  model::put_figures(node.task, report.completed, report.total);
  if (node.task.tally != before) tree_.touch(node);
  return &node;
}

void Operations::confirm(Node& node) {
  if (!journal_.refusal().empty()) tree_.touch(node);
}

Result<> Operations::note(TaskId id, const std::string& message, Time now) {
  Node* node = live(id);
  if (!node) return fail(not_found("task"));
  renew(*node, now);
  tree_.note(*node, {message}, now);
  return {};
}

Result<> Operations::finish(TaskId id, const std::string& error, Time now, Duration ended_ago) {
  Node* found = live(id);
  if (!found) return fail(not_found("task"));
  Node& node = *found;
  if (node.task.state == State::kCreated) tree_.change(node, State::kRunning, {}, now);
  const State ended = error.empty() ? State::kDone : State::kFailed;
  const Time at = std::min(now, std::max(node.task.started_at, now - ended_ago));
  end(node, is_stopping(node) ? State::kAborted : ended, error, now);
  node.task.finished_at = at;
  return {};
}

Result<> Operations::abort(TaskId id, Time now) {
  Node* node = live(id);
  if (!node) return fail(not_found("task"));
  if (!node->what().abortable) return fail(ErrorKind::kDenied, "the task cannot be aborted");
  confirm(*node);
  if (std::exchange(node->task.stopping, true)) return {};
  tree_.touch(*node);
  tree_.log(*node, EventType::kTaskChanged, node->task.state, "asked to stop", now);
  return {};
}

// Live ones, nearest first, but none with a lease, nor anything below such. Looks through ended
// ones, which only wait for what is below them.
std::vector<TaskId> Operations::below_of_its_lease(const Node& node) {
  std::vector<TaskId> found;
  std::vector<const Node*> open{&node};
  for (std::size_t next = 0; next < open.size(); ++next) {
    for (const auto& [id, child] : open[next]->children()) {
      const bool leased = !child->is_final() && child->what().lease != Duration::zero();
      if (leased) continue;
      if (!child->is_final()) found.push_back(id);
      open.push_back(child);
    }
  }
  return found;
}

// Children are younger than their parents, so they end first, and are folded.
void Operations::end_all(std::vector<TaskId> tasks, State to, const std::string& message,
                         Time now) {
  std::ranges::sort(tasks, std::ranges::greater());
  for (const TaskId id : tasks) end(tree_.at(id), to, message, now);
}

void Operations::end(Node& node, State to, std::string message, Time now) {
  node.task.stopping = is_stopping(node);  // stays with it, whatever becomes of those above
  tree_.change(node, to, std::move(message), now);
  list_ended(node, now);
  leases_.erase({node.lease_until, node.task.id});
  by_uuid_.erase(node.what().uuid);
  --live_;
  if (node.staying == 0) tree_.leave(node);
}

void Operations::list_ended(const Node& node, Time now) {
  const Duration ttl = node.what().user ? settings_.user_task_ttl : settings_.task_ttl;
  const bool shown = !node.what().internal && ttl > Duration::zero();
  list(node, shown ? journal_.trusted(now) + ttl : kNever);
}

void Operations::list(const Node& node, Time until) {
  journal_.batch().listings.push_back({.task = node.task.id,
                                       .module = node.what().module,
                                       .lane = node.what().lane,
                                       .internal = node.what().internal,
                                       .until = until});
}

// ---- leases

void Operations::renew(Node& node, Time now, Duration at_least) {
  if (node.what().lease == Duration::zero()) return;
  leases_.erase({node.lease_until, node.task.id});
  node.lease_until = now + std::max(node.what().lease, at_least);
  leases_.insert({node.lease_until, node.task.id});
}

void Operations::begin_leases(Time now) {
  std::vector<Node*> leased;
  tree_.for_each([&](Node& node) {
    if (node.is_reported() && !node.is_final()) leased.push_back(&node);
  });
  for (Node* node : leased) renew(*node, now, kReporterPauseMax);
}

void Operations::clock_set(Duration by) {
  std::set<std::pair<Time, TaskId>> moved;
  for (const auto& [until, id] : leases_) {
    tree_.at(id).lease_until = until + by;
    moved.emplace(until + by, id);
  }
  leases_ = std::move(moved);
}

// Tasks below it without a lease of their own in between had the same reporter.
void Operations::expire(Time now) {
  if (!leases_.empty() && leases_.begin()->first + kLate < now) begin_leases(now);
  while (!leases_.empty() && leases_.begin()->first <= now) {
    Node& node = tree_.at(leases_.begin()->second);
    const std::string message =
        fmt::format("Lost: its reporter was not heard from for {} s",
                    std::chrono::duration<double>(node.what().lease).count());
    std::vector<TaskId> lost = below_of_its_lease(node);
    lost.push_back(node.task.id);
    end_all(std::move(lost), State::kFailed, message, now);
  }
}

Time Operations::next_wake() const { return leases_.empty() ? kNever : leases_.begin()->first; }

// ---- memory

Node& Operations::insert(model::Task task) {
  Node& node = tree_.insert(std::move(task), nullptr);
  if (node.is_final()) return node;
  if (!node.what().uuid.empty()) by_uuid_.emplace(node.what().uuid, node.task.id);
  ++live_;
  return node;
}

Node* Operations::live(TaskId id) {
  Node* node = tree_.find(id);
  return node && node->is_reported() && !node->is_final() ? node : nullptr;
}

const Node* Operations::find(TaskId id) const {
  const Node* node = tree_.find(id);
  return node && node->is_reported() && !node->is_final() ? node : nullptr;
}

std::optional<TaskId> Operations::find_uuid(const std::string& uuid) const {
  const auto found = by_uuid_.find(uuid);
  if (found == by_uuid_.end()) return std::nullopt;
  return found->second;
}

}  // namespace docket::engine
