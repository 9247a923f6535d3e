// dialects/scylla/tree_walk: the recursive status of a tree that an input builds, ends and lets
// grow while it is being read. It is JSON, complete, and shows nothing twice.

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <set>

#include "core/json.h"
#include "dialects/scylla/tree_walk.h"
#include "engine/operations.h"
#include "fuzz/fuzz.h"
#include "store/memory/memory_reader.h"

namespace docket::fuzz {
namespace {

namespace json = boost::json;
using scylla::TreeWalk;

constexpr std::size_t kMostTasks = 64;

// Operations and a store that has what they wrote.
class Tree : private engine::Operations::Journal {
 public:
  Tree() { add({}, {}); }

  TaskId root() const { return TaskId{1}; }
  std::size_t size() const { return last_task_; }
  engine::Reader& reader() { return reader_; }
  const store::MemoryState& state() const { return disk_->state; }
  bool lives(TaskId id) const { return operations_.find(id) != nullptr; }

  // One thing that reporters do, as the input says. Most of it may be refused.
  void act(Input& input) {
    const std::uint8_t what = input.byte();
    const TaskId task{1 + input.below(size())};
    switch (what % 5) {
      case 0:
      case 1:
        if (size() < kMostTasks) add(task, input.text());
        break;
      case 2:
        static_cast<void>(operations_.finish(task, what % 2 == 0 ? "" : input.text(), now_));
        break;
      case 3:
        static_cast<void>(operations_.report(
            task, {.completed = input.byte(), .total = static_cast<double>(input.number())}, now_));
        break;
      default:
        static_cast<void>(operations_.abort(task, now_));
    }
    commit();
  }

 private:
  void add(TaskId parent, std::string text) {
    model::Operation what;
    if (!parent) what.module = "test";
    what.type = "test";
    what.entity = text;
    what.keyspace = std::move(text);
    what.abortable = true;
    static_cast<void>(operations_.create(std::move(what), parent, true, now_));
    commit();
  }
  void commit() {
    now_ += Duration{1};
    tree_.take(batch_);
    require(disk_->state.apply(batch_).has_value(), "the store takes what the engine wrote");
    batch_ = {};
  }

  TaskId new_task() override { return TaskId{++last_task_}; }
  const std::string& refusal() const override { return refusal_; }
  EventSeq append(model::Event event, const std::string&) override {
    event.seq = EventSeq{++last_event_};
    return event.seq;
  }
  engine::Batch& batch() override { return batch_; }
  void ended(TaskId) override {}
  Time trusted(Time now) const override { return now; }

  engine::Settings settings_;
  engine::TaskTree tree_{*this};
  engine::Operations operations_{settings_, tree_, *this};
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
  store::MemoryReader reader_{disk_};
  engine::Batch batch_;
  Time now_{std::chrono::hours{24 * 365 * 50}};
  std::string refusal_;
  std::uint64_t last_task_ = 0;
  std::uint64_t last_event_ = 0;
};

// Which children are shown, read independently (scylla-tasks.md section 4, folding): unfolded ones
// by id, then folded ones by their ends; of a folded parent those that keep a failure.
std::vector<TaskId> children_of(const Tree& tree, TaskId parent, bool folded) {
  std::vector<TaskId> shown;
  std::map<std::uint64_t, TaskId> by_end;
  for (const auto& [id, task] : tree.state().tasks()) {
    if (task.parent != parent) continue;
    if (task.tally.fold == 0 && !folded) shown.push_back(id);
    if (task.tally.fold != 0 && (!folded || model::is_failing(task))) {
      by_end.emplace(task.tally.fold, id);
    }
  }
  for (const auto& [end, id] : by_end) shown.push_back(id);
  return shown;
}

std::vector<std::string> breadth_first(const Tree& tree) {
  std::vector<TaskId> ids{tree.root()};
  std::vector<std::string> uuids;
  for (std::size_t at = 0; at < ids.size(); ++at) {
    uuids.push_back(model::uuid_of(ids[at]));
    const bool folded = ids[at] != tree.root() && tree.state().task(ids[at])->tally.fold > 0;
    const auto children = children_of(tree, ids[at], folded);
    ids.insert(ids.end(), children.begin(), children.end());
  }
  return uuids;
}

TreeWalk walk_of(Tree& tree) {
  auto row = tree.reader().task(tree.root()).value().value();
  return {std::move(row), "", "127.0.0.1", TreeWalk::Depth::kAll};
}

json::array read(const std::string& text) {
  auto value = parse_json(text);
  require(value && value->is_array(), "a recursive status is a JSON array", text);
  return std::move(value->get_array());
}

std::vector<std::string> ids_of(const json::array& statuses) {
  std::vector<std::string> ids;
  for (const json::value& status : statuses) ids.emplace_back(status.at("id").as_string());
  return ids;
}

// Every child that a status names follows, below this parent.
void check_children(const json::array& statuses, const std::string& text) {
  std::map<std::string, std::string> parents;
  for (const json::value& status : statuses) {
    const auto* children = status.as_object().if_contains("children_ids");
    if (children == nullptr) continue;
    for (const json::value& child : children->as_array()) {
      parents.emplace(child.at("task_id").as_string(), status.at("id").as_string());
    }
  }
  for (const json::value& status : statuses) {
    const auto parent = parents.find(std::string(status.at("id").as_string()));
    if (parent == parents.end()) continue;
    require(status.at("parent_id").as_string() == parent->second, "a child names its parent", text);
    parents.erase(parent);
  }
  require(parents.empty(), "every child that was named is shown", text);
}

void check_quiet(Tree& tree, std::size_t enough) {
  TreeWalk walk = walk_of(tree);
  std::string text;
  while (walk.write(tree.reader(), text, text.size() + enough).value()) continue;
  const json::array statuses = read(text);
  require(ids_of(statuses) == breadth_first(tree), "all of the tree, breadth first", text);
  check_children(statuses, text);
}

// Whether it and all above it are live.
bool is_firm(const Tree& tree, TaskId id) {
  for (; id; id = tree.state().task(id)->parent) {
    if (!tree.lives(id)) return false;
  }
  return true;
}

void check_busy(Tree& tree, Input& input, std::size_t enough) {
  const std::size_t before = tree.size();
  TreeWalk walk = walk_of(tree);
  std::string text;
  while (walk.write(tree.reader(), text, text.size() + enough).value()) {
    if (!input.empty()) tree.act(input);
  }
  const auto ids = ids_of(read(text));
  const std::set<std::string> shown(ids.begin(), ids.end());
  require(shown.size() == ids.size(), "no task is shown twice", text);
  for (std::size_t id = 1; id <= before; ++id) {
    if (!is_firm(tree, TaskId{id})) continue;
    require(shown.contains(model::uuid_of(TaskId{id})), "what lives all along is shown", text);
  }
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::size_t enough = 1 + 32 * input.below(8);
  Tree tree;
  for (std::size_t acts = input.byte(); acts > 0 && !input.empty(); --acts) tree.act(input);
  check_quiet(tree, enough);
  check_busy(tree, input, enough);
  check_quiet(tree, enough);
}

const Target kTarget("scylla_tree", run);

}  // namespace
}  // namespace docket::fuzz
