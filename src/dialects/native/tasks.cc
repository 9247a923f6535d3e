// Tasks: every node of every tree, runs and attempts alike.

#include <utility>

#include "dialects/native/answer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "dialects/native/task_filter.h"

namespace docket::native {
namespace {

// A tree is shown whole up to here; deeper or wider ones are cut, and their tasks are in the list.
constexpr int kTreeDepthMax = 16;
constexpr std::size_t kTreeTasksMax = 5000;

std::optional<model::TaskKind> read_kind(Query& query) {
  const auto kind = query.text("kind");
  if (!kind) return std::nullopt;
  if (*kind == "run") return model::TaskKind::kRun;
  if (*kind == "attempt") return model::TaskKind::kAttempt;
  query.complain("kind", "must be run or attempt");
  return std::nullopt;
}

void list_tasks(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  TaskFilter filter = read_task_filter(query);
  filter.query.parent = query.id<TaskId>("parent");
  filter.kind = read_kind(query);
  // Only runs have no parent, and that the store can select by itself.
  if (filter.kind == model::TaskKind::kRun && !filter.query.parent) filter.query.parent = TaskId{};
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.archive.read([filter = std::move(filter), reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(read_task_page(reader, filter));
  });
}

Result<std::string> show_task(engine::Reader& reader, TaskId id) {
  const auto row = read_task(reader, id);
  if (!row) return fail(row.error());
  std::string body;
  JsonWriter out(body);
  write_task(out, row->task, row->job_id);
  return body;
}

void get_task(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  if (!id) return reply(problem(no_such_task(request.params[0])));
  door.archive.read([id = *id, reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(show_task(reader, id));
  });
}

Result<> grow(engine::Reader& reader, TaskTree& tree, int depth, std::size_t& tasks) {
  if (depth == kTreeDepthMax || tasks >= kTreeTasksMax) return {};
  auto children = read_children(reader, tree.task.id);
  if (!children) return fail(std::move(children.error()));
  tasks += children->size();
  for (model::Task& child : *children) {
    TaskTree& grown =
        tree.children.emplace_back(TaskTree{.task = std::move(child), .children = {}});
    if (grown.task.kind == model::TaskKind::kAttempt) continue;  // attempts have no children
    if (auto done = grow(reader, grown, depth + 1, tasks); !done) return done;
  }
  return {};
}

Result<std::string> show_tree(engine::Reader& reader, TaskId id) {
  auto row = read_task(reader, id);
  if (!row) return fail(std::move(row.error()));
  TaskTree tree{.task = std::move(row->task), .children = {}};
  std::size_t tasks = 1;
  if (auto grown = grow(reader, tree, 0, tasks); !grown) return fail(std::move(grown.error()));
  std::string body;
  JsonWriter out(body);
  write_tree(out, tree, row->job_id);
  return body;
}

void get_tree(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  if (!id) return reply(problem(no_such_task(request.params[0])));
  door.archive.read([id = *id, reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(show_tree(reader, id));
  });
}

}  // namespace

Routes task_routes(const ContextPtr& door) {
  return {route(door, "GET", "/tasks", list_tasks), route(door, "GET", "/tasks/{task}", get_task),
          route(door, "GET", "/tasks/{task}/tree", get_tree)};
}

}  // namespace docket::native
