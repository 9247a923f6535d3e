// /task_manager: scylla-tasks.md section 3.

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "core/json_writer.h"
#include "dialects/scylla/module_walk.h"
#include "dialects/scylla/routes.h"
#include "dialects/scylla/task_view.h"
#include "dialects/scylla/tree_walk.h"

namespace docket::scylla {
namespace {

using engine::Engine;

constexpr std::size_t kChunkBytes = 32 * 1024;

// A walk as a body: each chunk is a turn on an archive thread.
template <class Walk>
class WalkStream final : public http::BodyStream {
 public:
  WalkStream(engine::Archive& archive, Walk walk, std::string first)
      : archive_(archive),
        first_(std::move(first)),
        state_(std::make_shared<State>(State{std::move(walk)})) {}

  void next(Next done) override {
    if (!first_.empty()) return done(std::exchange(first_, {}));
    if (state_->ended) return done(std::nullopt);
    archive_.read([state = state_, done = std::move(done)](engine::Reader& reader) {
      std::string chunk;
      const auto more = state->walk.write(reader, chunk, kChunkBytes);
      if (!more) return done(std::nullopt);  // the client sees that the list is truncated
      state->ended = !*more;
      done(std::move(chunk));
    });
  }

 private:
  struct State {
    Walk walk;
    bool ended = false;
  };
  engine::Archive& archive_;
  std::string first_;             // already written
  std::shared_ptr<State> state_;  // shared with a read in flight, which may outlive the client
};

template <class Walk>
http::Response streamed(engine::Archive& archive, Walk walk, std::string first = {}) {
  http::Response response = json_response({});
  response.stream = std::make_shared<WalkStream<Walk>>(archive, std::move(walk), std::move(first));
  return response;
}

// ---- modules

void list_modules(const ContextPtr& context, http::Request, http::Reply reply) {
  answer(context, reply, [](Engine& engine, Time) {
    std::string body;
    JsonWriter json(body);
    json.begin_array();
    for (const std::string& name : engine.modules()) json.value(name);
    json.end_array();
    return json_response(std::move(body));
  });
}

// An empty filter filters in 6.2, and does not in master (section 0).
std::optional<std::string> filter(const ContextPtr& context, const http::Request& request,
                                  std::string_view name) {
  const auto value = request.query_value(name);
  if (!value || (value->empty() && !context->settings.status_unregisters)) return std::nullopt;
  return std::string(*value);
}

void list_module_tasks(const ContextPtr& context, http::Request request, http::Reply reply) {
  const auto internal = bool_parameter(request, "internal", false);
  if (!internal) return reply(internal.error());
  ModuleQuery query{.module = request.params[0],
                    .lanes = {},
                    .internal = *internal,
                    .keyspace = filter(context, request, "keyspace"),
                    .table = filter(context, request, "table")};
  answer(context, reply,
         [&archive = context->archive, query = std::move(query)](Engine& engine, Time now) {
           if (!engine.has_module(query.module)) return module_not_found(query.module);
           ModuleQuery walked = query;
           walked.has_runs = engine.has_runs(query.module);
           walked.lanes = engine.lanes(query.module);
           walked.now = engine.trusted(now);
           return streamed(archive, ModuleWalk(std::move(walked)));
         });
}

void drain(const ContextPtr& context, http::Request request, http::Reply reply) {
  answer(context, reply, [module = request.params[0]](Engine& engine, Time) {
    return engine.drain(module) ? void_response() : module_not_found(module);
  });
}

// ---- one task

bool is_unregistered_by_reading(const ContextPtr& context, const model::Task& task) {
  const bool is_cluster = task.operation && task.operation->cluster;
  return context->settings.status_unregisters && model::is_final(task.state) && !is_cluster;
}

// On an archive thread. Answers once the mark is durable, so that a status cannot be read a second
// time by the client that has just read it.
void reply_and_unregister(engine::Loop& loop, TaskId id, http::Response response,
                          const http::Reply& reply) {
  loop.post([&loop, id, reply, response = std::move(response)] {
    loop.call<bool>(
        [id](Engine& engine, Time) -> Result<bool> {
          engine.unlist(id);
          return true;
        },
        [reply, response](const Result<bool>&) { reply(response); });
  });
}

// Streamed when there are many children.
http::Response status_response(const ContextPtr& context, engine::Reader& reader, Found found) {
  std::string body;
  TreeWalk walk(std::move(found.row), std::move(found.parent_uuid), context->settings.node,
                TreeWalk::Depth::kOne);
  const auto more = walk.write(reader, body, kChunkBytes);
  if (!more) return broken(more.error());
  if (!*more) return json_response(std::move(body));
  return streamed(context->archive, std::move(walk), std::move(body));
}

void task_status(const ContextPtr& context, http::Request request, http::Reply reply) {
  with_task(context, request.params[0], reply,
            [context, reply](engine::Reader& reader, Found found) {
              const TaskId id = found.row.task.id;
              const bool forget = is_unregistered_by_reading(context, found.row.task);
              auto response = status_response(context, reader, std::move(found));
              if (!forget) return reply(std::move(response));
              reply_and_unregister(context->loop, id, std::move(response), reply);
            });
}

void task_status_recursive(const ContextPtr& context, http::Request request, http::Reply reply) {
  with_task(context, request.params[0], reply, [context, reply](engine::Reader&, Found found) {
    const TaskId id = found.row.task.id;
    const bool forget = is_unregistered_by_reading(context, found.row.task);
    auto response =
        streamed(context->archive, TreeWalk(std::move(found.row), std::move(found.parent_uuid),
                                            context->settings.node, TreeWalk::Depth::kAll));
    if (!forget) return reply(std::move(response));
    reply_and_unregister(context->loop, id, std::move(response), reply);
  });
}

// Depends on whether the task is abortable, not on its state. Aborting a task that has ended but is
// still registered changes nothing (section 3).
http::Response abort_response(const Result<>& aborted, const std::string& uuid, bool abortable) {
  const bool over = !aborted && aborted.error().kind == ErrorKind::kNotFound;
  if (aborted || (over && abortable)) return void_response();
  if (!over && aborted.error().kind != ErrorKind::kDenied) return broken(aborted.error());
  return error_response(403, fmt::format("task with id {} cannot be aborted", uuid));
}

void abort_task(const ContextPtr& context, http::Request request, http::Reply reply) {
  with_task(
      context, request.params[0], reply, [context, reply](engine::Reader&, const Found& found) {
        const TaskView view(found.row, {});
        context->loop.post(
            [context, reply, id = found.row.task.id, uuid = view.uuid, abortable = view.abortable] {
              answer(context, reply, [=](Engine& engine, Time now) {
                return abort_response(engine.abort_task(id, now), uuid, abortable);
              });
            });
      });
}

// ---- waiting

void reply_status(const ContextPtr& context, TaskId id, const http::Reply& reply) {
  with_any_task(context, id, reply, [context, reply](engine::Reader& reader, Found found) {
    reply(status_response(context, reader, std::move(found)));
  });
}

void reply_waited(const ContextPtr& context, TaskId id, const Result<bool>& ended,
                  const http::Reply& reply) {
  if (!ended) return reply(broken(ended.error()));
  if (!*ended) return reply(error_response(408, "timedout"));
  std::vector<http::Reply>& waited = (*context->waited)[id];
  waited.push_back(reply);
  if (waited.size() > 1) return;  // the first call reads for all
  const http::Reply all = [context, id](const http::Response& response) {
    context->loop.post([context, id, response] {
      const auto replies = context->waited->extract(id);
      for (const http::Reply& each : replies.mapped()) {
        // A stream has a single reader.
        response.stream ? reply_status(context, id, each) : each(response);
      }
    });
  };
  reply_status(context, id, all);
}

void wait_for(const ContextPtr& context, TaskId id, std::optional<std::uint32_t> seconds,
              const http::Reply& reply) {
  context->loop.call<Time>([](Engine&, Time now) -> Result<Time> { return now; },
                           [context, id, seconds, reply](const Result<Time>& now) {
                             const Time until =
                                 now && seconds ? *now + std::chrono::seconds{*seconds} : kNever;
                             const auto waiter = context->loop.wait(
                                 id, until, [context, id, reply](const Result<bool>& ended) {
                                   reply_waited(context, id, ended, reply);
                                 });
                             reply.on_gone([waiter] { waiter.cancel(); });
                           });
}

void wait_task(const ContextPtr& context, http::Request request, http::Reply reply) {
  std::optional<std::uint32_t> seconds;
  if (const auto text = request.query_value("timeout"); text && !text->empty()) {
    const auto timeout = parse_unsigned(*text, 500);
    if (!timeout) return reply(timeout.error());
    seconds = *timeout;
  }
  with_task(context, request.params[0], reply,
            [context, seconds, reply](engine::Reader&, const Found& found) {
              context->loop.post([context, id = found.row.task.id, seconds, reply] {
                wait_for(context, id, seconds, reply);
              });
            });
}

}  // namespace

std::vector<http::Route> task_routes(const ContextPtr& context) {
  const auto make = [&context](const char* method, const char* pattern, Action action) {
    return route(context, method, pattern, action);
  };
  return {
      make("GET", "/task_manager/list_modules", list_modules),
      make("GET", "/task_manager/list_module_tasks/{module}", list_module_tasks),
      make("GET", "/task_manager/task_status/{task}", task_status),
      make("POST", "/task_manager/abort_task/{task}", abort_task),
      make("GET", "/task_manager/wait_task/{task}", wait_task),
      make("GET", "/task_manager/task_status_recursive/{task}", task_status_recursive),
      make("POST", "/task_manager/drain/{module}", drain),
  };
}

}  // namespace docket::scylla
