#include "dialects/native/task_ref.h"

#include <algorithm>

#include "dialects/native/lookup.h"
#include "dialects/native/query.h"

namespace docket::native {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<TaskRef> parse_task_ref(std::string_view text) {
  if (const auto id = parse_task_id(text)) return TaskRef{.id = *id, .uuid = {}};
  std::string uuid(text);
  std::ranges::transform(uuid, uuid.begin(), lower);
  if (!is_uuid(uuid)) return std::nullopt;
  if (const auto id = parse_task_id(uuid)) return TaskRef{.id = *id, .uuid = {}};
  return TaskRef{.id = {}, .uuid = std::move(uuid)};
}

std::optional<TaskId> find_live(const engine::Engine& engine, const TaskRef& ref) {
  const auto id = ref.id ? std::optional(ref.id) : engine.operations().find_uuid(ref.uuid);
  return id && engine.is_live(*id) ? id : std::nullopt;
}

Result<TaskId> find_in_history(engine::Reader& reader, std::string_view text) {
  const auto ref = parse_task_ref(text);
  if (!ref) return fail(no_such_task(std::string(text)));
  if (ref->id) return ref->id;
  const auto found = reader.task_of_uuid(ref->uuid);
  if (!found) return fail(found.error());
  if (!*found) return fail(no_such_task(std::string(text)));
  return **found;
}

}  // namespace docket::native
