// Tasks: every node of every tree, whether run, step, attempt or operation.

#include <algorithm>
#include <array>
#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "dialects/native/task_filter.h"
#include "dialects/native/task_ref.h"

namespace docket::native {
namespace {

// A tree is shown whole up to these limits; beyond them it is cut, and all its tasks are in the
// list.
constexpr int kTreeDepthMax = 16;
constexpr std::size_t kTreeTasksMax = 5000;
constexpr Duration kWaitMax = std::chrono::hours{1};

std::optional<std::string> read_kind(Query& query) {
  constexpr std::array kKinds{"run", "step", "attempt", "operation"};
  auto text = query.text("kind");
  if (text && std::ranges::find(kKinds, std::string_view(*text)) == kKinds.end()) {
    query.complain("kind", "must be run, step, attempt or operation");
  }
  return text;
}

void list_tasks(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  TaskFilter filter = read_task_filter(query);
  filter.query.parent = query.id<TaskId>("parent");
  filter.kind = read_kind(query);
  filter.module = query.text("module");
  if (query.flag("roots")) filter.query.parent = TaskId{};
  // All runs are roots, which the store can select by itself.
  if (filter.kind == "run" && !filter.query.parent) filter.query.parent = TaskId{};
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.archive.read([filter = std::move(filter), reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(read_task_page(reader, filter));
  });
}

// ---- one task, now or once it has ended

Result<std::string> show_named(engine::Reader& reader, const std::string& name) {
  const auto id = find_in_history(reader, name);
  if (!id) return fail(id.error());
  return show_task(reader, *id);
}

void answer_now(engine::Archive& archive, const std::string& name, const http::Reply& reply) {
  archive.read(
      [name, reply](engine::Reader& reader) { answer_json(reply)(show_named(reader, name)); });
}

struct Waited {
  TaskId id;  // none: it is not live
  Time until = kNever;
};

// The id is resolved now: another task may have the UUID once this one has ended.
void answer_waited(engine::Loop& loop, engine::Archive& archive, const std::string& name,
                   const Waited& waited, const http::Reply& reply) {
  if (!waited.id) return answer_now(archive, name, reply);
  const auto waiter = loop.wait(waited.id, waited.until,
                                [&archive, id = waited.id, reply](const Result<bool>& ended) {
                                  if (!ended) return reply(problem(ended.error()));
                                  answer_now(archive, std::to_string(id.value), reply);
                                });
  reply.on_gone([waiter] { waiter.cancel(); });
}

void get_task(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const auto wait = query.duration("wait", kWaitMax);
  if (!query.ok()) return reply(bad_query(query.errors()));
  const std::string& name = request.params[0];
  const auto ref = parse_task_ref(name);
  if (!ref) return reply(problem(no_such_task(name)));
  if (!wait) return answer_now(door.archive, name, reply);
  door.loop.call<Waited>(
      [ref = *ref, wait = *wait](engine::Engine& engine, Time now) -> Result<Waited> {
        return Waited{.id = find_live(engine, ref).value_or(TaskId{}), .until = now + wait};
      },
      [&loop = door.loop, &archive = door.archive, name,
       reply = std::move(reply)](const Result<Waited>& waited) {
        if (!waited) return reply(problem(waited.error()));
        answer_waited(loop, archive, name, *waited, reply);
      });
}

// ---- trees

// Built from the root down, within the limits.
class Tree {
 public:
  Tree(engine::Reader& reader, bool live_only)
      : reader_(reader), live_only_(live_only), surroundings_(reader) {}

  Result<> grow(TaskTree& tree, int depth = 0) {
    const auto live = surroundings_.of(tree.task);
    if (!live) return fail(live.error());
    tree.live = *live;
    if (depth == kTreeDepthMax || tasks_ >= kTreeTasksMax) return {};
    if (tree.task.kind == model::TaskKind::kAttempt) return {};  // these have no children
    auto children = children_of(tree.task.id);
    if (!children) return fail(std::move(children.error()));
    tasks_ += children->size();
    for (model::Task& child : *children) {
      auto& grown = tree.children.emplace_back(
          TaskTree{.task = std::move(child), .live = {}, .children = {}});
      if (auto done = grow(grown, depth + 1); !done) return done;
    }
    return {};
  }

 private:
  Result<std::vector<model::Task>> children_of(TaskId parent) {
    if (!live_only_) return read_children(reader_, parent);
    auto rows = reader_.children({.parent = parent, .which = engine::Fold::kUnfolded});
    if (!rows) return fail(std::move(rows.error()));
    std::vector<model::Task> live;
    for (engine::TaskRow& row : *rows) live.push_back(std::move(row.task));
    return live;
  }

  engine::Reader& reader_;
  const bool live_only_;
  Surroundings surroundings_;
  std::size_t tasks_ = 1;
};

Result<std::string> show_tree(engine::Reader& reader, const std::string& name, bool live_only) {
  const auto id = find_in_history(reader, name);
  if (!id) return fail(id.error());
  auto row = read_task(reader, *id);
  if (!row) return fail(std::move(row.error()));
  TaskTree tree{.task = std::move(row->task), .live = {}, .children = {}};
  if (auto grown = Tree(reader, live_only).grow(tree); !grown) return fail(grown.error());
  std::string body;
  JsonWriter out(body);
  write_tree(out, tree, row->job_id);
  return body;
}

void get_tree(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const bool live_only = query.flag("live");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.archive.read(
      [name = request.params[0], live_only, reply = std::move(reply)](engine::Reader& reader) {
        answer_json(reply)(show_tree(reader, name, live_only));
      });
}

Result<std::string> show_result(engine::Reader& reader, const std::string& name) {
  const auto id = find_in_history(reader, name);
  if (!id) return fail(id.error());
  auto result = reader.result(*id);
  if (!result) return fail(std::move(result.error()));
  if (!*result) return fail(ErrorKind::kNotFound, "task '" + name + "' has no result");
  return **std::move(result);
}

void get_result(const Context& door, const http::Request& request, http::Reply reply) {
  door.archive.read([name = request.params[0], reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(show_result(reader, name));
  });
}

}  // namespace

Routes task_routes(const ContextPtr& door) {
  return {route(door, "GET", "/tasks", list_tasks), route(door, "GET", "/tasks/{task}", get_task),
          route(door, "GET", "/tasks/{task}/tree", get_tree),
          route(door, "GET", "/tasks/{task}/result", get_result)};
}

}  // namespace docket::native
