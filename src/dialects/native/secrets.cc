// Secrets: values go in and never come out; this door shows only paths and times.

#include <fmt/format.h>

#include <utility>

#include "core/text.h"
#include "dialects/native/answer.h"
#include "dialects/native/query.h"
#include "dialects/native/read_job.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::Engine;

constexpr std::size_t kPathMax = 1024;

void put_secret(const Context& door, const http::Request& request, http::Reply reply) {
  const std::string& path = request.params[0];
  if (path.empty() || path.size() > kPathMax) {
    return reply(problem(400, "a secret's path has 1 to 1024 bytes"));
  }
  if (const char* flaw = flaw_of(path, TextUse::kName))
    return reply(problem(400, fmt::format("a secret's path {}", flaw)));
  auto value = read_secret(request.body);
  if (!value) return reply(bad_body(value.error()));
  door.loop.call<bool>(
      [path, value = *std::move(value)](Engine& engine, Time now) -> Result<bool> {
        const auto put = engine.put_secret(path, value, now);
        if (!put) return fail(put.error());
        return true;
      },
      answer_nothing(std::move(reply)));
}

void delete_secret(const Context& door, const http::Request& request, http::Reply reply) {
  door.loop.call<bool>(
      [path = request.params[0]](Engine& engine, Time) -> Result<bool> {
        const auto deleted = engine.delete_secret(path);
        if (!deleted && deleted.error().kind == ErrorKind::kNotFound) {
          return fail(ErrorKind::kNotFound, "secret '" + path + "' does not exist");
        }
        if (!deleted) return fail(deleted.error());
        return true;
      },
      answer_nothing(std::move(reply)));
}

void list_secrets(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const auto limit = query.limit();
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<std::string>(
      [after = query.text("after").value_or(""), limit](Engine& engine,
                                                        Time) -> Result<std::string> {
        PageWriter page;
        std::uint32_t items = 0;
        std::string last;
        for (const auto& [path, updated_at] : engine.secrets()) {
          if (path <= after) continue;
          if (items++ == limit) return page.finish(last);
          last = path;
          page.item().begin_object().member("path", path);
          write_time(page.item().key("updatedAt"), updated_at);
          page.item().end_object();
        }
        return page.finish("");
      },
      answer_json(std::move(reply)));
}

}  // namespace

Routes secret_routes(const ContextPtr& door) {
  using enum http::BodyRule;
  return {route(door, "GET", "/secrets", list_secrets),
          route(door, "PUT", "/secrets/{path...}", put_secret, kJson),
          route(door, "DELETE", "/secrets/{path...}", delete_secret)};
}

}  // namespace docket::native
