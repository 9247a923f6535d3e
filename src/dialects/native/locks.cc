// Locks: who holds them, and who waits.

#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "engine/explain.h"

namespace docket::native {
namespace {

using engine::Engine;
using engine::Explainer;

void write_lock(JsonWriter& out, const Engine& engine, const model::Lock& lock) {
  out.begin_object().member("name", lock.name).member("fencing", lock.fencing);
  write_id(out.key("holder"), lock.holder.value);
  const engine::Node* holder = lock.holder ? engine.find_task(lock.holder) : nullptr;
  write_text(out.key("holderJob"), holder ? holder->job->id() : "");
  write_time(out.key("heldSince"), lock.holder ? lock.held_since : kNever);
}

void list_locks(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const auto limit = query.limit();
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<std::string>(
      [after = query.text("after").value_or(""), limit](Engine& engine,
                                                        Time) -> Result<std::string> {
        PageWriter page;
        std::uint32_t items = 0;
        const auto& locks = engine.locks().all();
        std::string last;
        for (auto it = locks.upper_bound(after); it != locks.end(); ++it, ++items) {
          if (items == limit) return page.finish(last);
          last = it->first;
          write_lock(page.item(), engine, it->second);
          page.item().end_object();
        }
        return page.finish("");
      },
      answer_json(std::move(reply)));
}

void get_lock(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<std::string>(
      [name = request.params[0]](Engine& engine, Time) -> Result<std::string> {
        const model::Lock* lock = engine.locks().find(name);
        if (!lock) return fail(ErrorKind::kNotFound, "lock '" + name + "' was never held");
        std::string body;
        JsonWriter out(body);
        write_lock(out, engine, *lock);
        out.key("waiters").begin_array();
        for (const TaskId id : Explainer::waiters_of(engine, name, Explainer::kWaitersShown)) {
          out.value(std::to_string(id.value));
        }
        out.end_array().end_object();
        return body;
      },
      answer_json(std::move(reply)));
}

}  // namespace

Routes lock_routes(const ContextPtr& door) {
  return {route(door, "GET", "/locks", list_locks), route(door, "GET", "/locks/{lock}", get_lock)};
}

}  // namespace docket::native
