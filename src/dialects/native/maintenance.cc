// Maintenance: docket's own housekeeping, ordered here and shown as a task.

#include <utility>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/body.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "kinds/maintenance/orders.h"

namespace docket::native {
namespace {

using engine::Engine;

Result<kinds::Order> read_order(care::Chore chore, const std::string& text) {
  if (text.empty()) return kinds::Order{.work = {.chore = chore}};
  return read_body(text, [chore](JsonReader& body) {
    kinds::Order order{.work = {.chore = chore}};
    body.read("file", order.work.file);
    body.read("families", order.work.families);
    return order;
  });
}

std::string render(const model::Task& task) {
  std::string body;
  JsonWriter out(body);
  write_task(out, task, "");
  return body;
}

// If the task waited for fails, so does the request.
void answer_ended(const Context& door, TaskId id, const http::Reply& reply) {
  door.archive.read([id, reply](engine::Reader& reader) {
    const auto row = read_task(reader, id);
    if (!row) return reply(problem(row.error()));
    const model::Task& task = row->task;
    if (task.state == model::State::kDone) return answer_json(reply)(show_task(reader, id));
    const std::string name = "task " + std::to_string(id.value);
    if (task.state == model::State::kAborted) return reply(problem(409, name + " was aborted"));
    reply(problem(500, name + " failed: " + task.message));
  });
}

struct Ordered {
  TaskId task;
  Created created;
};

void order_maintenance(const Context& door, const http::Request& request, http::Reply reply) {
  const auto chore = care::chore_of(request.params[0]);
  if (!chore) return reply(problem(404, "there is no maintenance '" + request.params[0] + "'"));
  Query query(request);
  const bool waits = query.flag("wait");
  if (!query.ok()) return reply(bad_query(query.errors()));
  auto order = read_order(*chore, request.body);
  if (!order) return reply(bad_body(order.error()));
  const kinds::Orders* maintenance = door.settings.maintenance;
  if (!maintenance) return reply(problem(503, "this server has no maintenance"));
  door.loop.call<Ordered>(
      [maintenance, order = std::move(*order)](Engine& engine, Time now) -> Result<Ordered> {
        const auto task = maintenance->ask(engine, order, now);
        if (!task) return fail(task.error());
        return Ordered{*task,
                       {.body = render(engine.find_task(*task)->task),
                        .location = "/tasks/" + std::to_string(task->value)}};
      },
      [&door, waits, reply = std::move(reply)](Result<Ordered> ordered) {
        if (!ordered) return reply(problem(ordered.error()));
        if (!waits) return answer_created(reply)(std::move(ordered->created));
        const auto waiter = door.loop.wait(
            ordered->task, kNever, [&door, task = ordered->task, reply](const Result<bool>& ended) {
              if (!ended) return reply(problem(ended.error()));
              answer_ended(door, task, reply);
            });
        reply.on_gone([waiter] { waiter.cancel(); });
      });
}

}  // namespace

Routes maintenance_routes(const ContextPtr& door) {
  return {route(door, "POST", "/maintenance/{operation}", order_maintenance,
                http::BodyRule::kOptional)};
}

}  // namespace docket::native
