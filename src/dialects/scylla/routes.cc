#include "dialects/scylla/routes.h"

#include <utility>

namespace docket::scylla {
namespace {

Result<std::optional<TaskId>> id_of(engine::Reader& reader, const std::string& uuid) {
  if (const auto id = model::task_of_uuid(uuid)) return id;
  return reader.task_of_uuid(uuid);
}

Result<std::string> parent_uuid(engine::Reader& reader, const model::Task& task) {
  if (!task.parent) return std::string();
  const auto parent = reader.task(task.parent);
  if (!parent) return fail(parent.error());
  return *parent ? model::uuid_of((*parent)->task) : model::uuid_of(task.parent);
}

Result<bool> is_listed(engine::Reader& reader, const model::Task& task, Time now) {
  if (!model::is_final(task.state)) return true;
  const auto listing = reader.listing(task.id);
  if (!listing) return fail(listing.error());
  return *listing && (*listing)->until > now;
}

// None: there is no such task.
Result<std::optional<Found>> read_found(engine::Reader& reader, TaskId id) {
  auto row = reader.task(id);
  if (!row) return fail(std::move(row.error()));
  if (!*row) return std::nullopt;
  auto parent = parent_uuid(reader, (*row)->task);
  if (!parent) return fail(std::move(parent.error()));
  return Found{std::move(**row), std::move(*parent)};
}

Result<std::optional<Found>> find(engine::Reader& reader, const std::string& uuid, Time now) {
  const auto id = id_of(reader, uuid);
  if (!id) return fail(id.error());
  if (!*id) return std::nullopt;
  auto found = read_found(reader, **id);
  if (!found || !*found) return found;
  const auto listed = is_listed(reader, (*found)->row.task, now);
  if (!listed) return fail(listed.error());
  if (!*listed) return std::nullopt;
  return found;
}

}  // namespace

http::Response broken(const Error& error) {
  return error_response(500, "std::runtime_error (" + error.message + ")");
}

http::Route route(const ContextPtr& context, const char* method, const char* pattern,
                  Action action) {
  return {.method = method,
          .pattern = pattern,
          .handler = [context, action](http::Request request, http::Reply reply) {
            action(context, std::move(request), std::move(reply));
          }};
}

void with_task(const ContextPtr& context, std::string_view text, const http::Reply& reply,
               WithTask go_on) {
  auto uuid = parse_uuid(text);
  if (!uuid) return reply(std::move(uuid.error()));
  // Through the engine, for its time and to wait for changes that are not stored yet.
  context->loop.call<Time>(
      [](engine::Engine& engine, Time now) -> Result<Time> { return engine.trusted(now); },
      [&archive = context->archive, uuid = std::move(*uuid), reply,
       go_on = std::move(go_on)](const Result<Time>& now) {
        if (!now) return reply(broken(now.error()));
        archive.read([uuid, reply, go_on, now = *now](engine::Reader& reader) {
          auto found = find(reader, uuid, now);
          if (!found) return reply(broken(found.error()));
          if (!*found) return reply(task_not_found(uuid));
          go_on(reader, std::move(**found));
        });
      });
}

void with_any_task(const ContextPtr& context, TaskId id, const http::Reply& reply, WithTask go_on) {
  context->archive.read([id, reply, go_on = std::move(go_on)](engine::Reader& reader) {
    auto found = read_found(reader, id);
    if (!found) return reply(broken(found.error()));
    if (!*found) return reply(task_not_found(model::uuid_of(id)));
    go_on(reader, std::move(**found));
  });
}

void answer(const ContextPtr& context, const http::Reply& reply, Work work) {
  context->loop.call<http::Response>(
      [work = std::move(work)](engine::Engine& engine, Time now) -> Result<http::Response> {
        return work(engine, now);
      },
      [reply](Result<http::Response> response) {
        reply(response ? std::move(*response) : broken(response.error()));
      });
}

}  // namespace docket::scylla
