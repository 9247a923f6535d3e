// /task_manager_test, with which the original's pytest suite drives a server (scylla-tasks.md
// section 7). Behind a switch.

#include <fmt/format.h>

#include <utility>

#include "dialects/scylla/routes.h"

namespace docket::scylla {
namespace {

using engine::Engine;

constexpr const char* kModule = "test";

std::string text(const http::Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(std::string_view()));
}

// Also resets a module that exists already.
void register_module(const ContextPtr& context, http::Request, http::Reply reply) {
  answer(context, reply, [](Engine& engine, Time now) {
    static_cast<void>(engine.operations().drop_module(kModule, now));
    engine.operations().add_module(kModule);
    return void_response();
  });
}

void unregister_module(const ContextPtr& context, http::Request, http::Reply reply) {
  answer(context, reply, [](Engine& engine, Time now) {
    return engine.operations().drop_module(kModule, now) ? void_response()
                                                         : module_not_found(kModule, 500);
  });
}

// ---- tasks

// The live task with the uuid of a request, if any.
std::optional<TaskId> live_task(const Engine& engine, const std::string& uuid) {
  auto id = engine.operations().find_uuid(uuid);
  if (!id) id = model::task_of_uuid(uuid);
  if (id && !engine.operations().find(*id)) id = std::nullopt;
  return id;
}

struct NewTask {
  model::Operation what;
  std::string parent;  // uuid; empty: none
};

Wire<NewTask> read_new_task(const http::Request& request) {
  NewTask task;
  if (const std::string id = text(request, "task_id"); !id.empty()) {
    auto uuid = parse_uuid(id);
    if (!uuid) return tl::unexpected(std::move(uuid.error()));
    task.what.uuid = std::move(*uuid);
  }
  if (const std::string id = text(request, "parent_id"); !id.empty()) {
    auto uuid = parse_uuid(id);
    if (!uuid) return tl::unexpected(std::move(uuid.error()));
    task.parent = std::move(*uuid);
  }
  if (const std::string shard = text(request, "shard"); !shard.empty()) {
    const auto lane = parse_unsigned(shard, 500);
    if (!lane) return tl::unexpected(lane.error());
    task.what.lane = *lane;
  }
  const auto user = bool_parameter(request, "user_task", false);
  if (!user) return tl::unexpected(user.error());
  task.what.user = *user;
  task.what.module = kModule;
  task.what.type = task.what.scope = "test";
  task.what.keyspace = text(request, "keyspace");
  task.what.table = text(request, "table");
  task.what.entity = text(request, "entity");
  return task;
}

http::Response create(Engine& engine, const NewTask& task, Time now) {
  if (!engine.operations().has_module(kModule)) return module_not_found(kModule, 500);
  TaskId parent;
  if (!task.parent.empty()) {
    const auto found = live_task(engine, task.parent);
    if (!found) {
      return error_response(
          500, fmt::format("tasks::task_manager::task_not_found (task with id {} not found)",
                           task.parent));
    }
    parent = *found;
  }
  const auto made = engine.operations().create(task.what, parent, true, now);
  if (!made) return broken(made.error());
  return json_response("\"" + model::uuid_of((*made)->task) + "\"");
}

void create_task(const ContextPtr& context, http::Request request, http::Reply reply) {
  auto task = read_new_task(request);
  if (!task) return reply(std::move(task.error()));
  answer(context, reply,
         [task = std::move(*task)](Engine& engine, Time now) { return create(engine, task, now); });
}

// Ends a task. If it has already ended, this changes nothing.
void finish(const ContextPtr& context, TaskId id, const std::string& error, bool forget,
            const http::Reply& reply) {
  context->loop.post([context, id, error, forget, reply] {
    answer(context, reply, [id, error, forget](Engine& engine, Time now) {
      static_cast<void>(engine.operations().finish(id, error, now));
      if (forget) engine.unlist(id);
      return void_response();
    });
  });
}

void finish_task(const ContextPtr& context, http::Request request, http::Reply reply) {
  const auto failure = request.query_value("error");
  std::string error = failure ? fmt::format("std::runtime_error ({})", *failure) : "";
  with_task(context, request.params[0], reply,
            [context, error = std::move(error), reply](engine::Reader&, const Found& found) {
              finish(context, found.row.task.id, error, false, reply);
            });
}

// The answer for a failed task is the task's own error; the task stays until its ttl.
void unregister_task(const ContextPtr& context, http::Request request, http::Reply reply) {
  const std::string id = text(request, "task_id");
  if (id.empty()) return reply(missing_parameter("task_id"));
  with_task(context, id, reply, [context, reply](engine::Reader&, const Found& found) {
    const model::Task& task = found.row.task;
    const bool failed = model::is_final(task.state) && task.state != model::State::kDone;
    if (failed) return reply(error_response(500, task.message));
    finish(context, task.id, {}, true, reply);
  });
}

// Suites that need error injection look here first, and skip themselves if there is none.
void list_injections(const ContextPtr&, http::Request, http::Reply reply) {
  reply(json_response("[]"));
}

}  // namespace

std::vector<http::Route> test_routes(const ContextPtr& context) {
  return {
      route(context, "POST", "/task_manager_test/test_module", register_module),
      route(context, "DELETE", "/task_manager_test/test_module", unregister_module),
      route(context, "POST", "/task_manager_test/test_task", create_task),
      route(context, "DELETE", "/task_manager_test/test_task", unregister_task),
      route(context, "POST", "/task_manager_test/finish_test_task/{task}", finish_task),
      route(context, "GET", "/v2/error_injection/injection", list_injections),
  };
}

}  // namespace docket::scylla
