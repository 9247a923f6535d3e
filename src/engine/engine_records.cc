// Records: what doors and kinds keep beside jobs.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/engine.h"

namespace docket::engine {
namespace {

// What a sealed member is bound to, so that it opens nowhere else.
std::string bound_to(RecordId record, const std::string& member) {
  return fmt::format("record {} {}", record.value, member);
}

Error no_such_record() {
  return {.kind = ErrorKind::kNotFound, .message = "no such record", .subject = "record"};
}

}  // namespace

Result<const model::Record*> Engine::create_record(model::Record record, const StringPairs& secrets,
                                                   Time now) {
  if (records_.size() >= kRecordsMax) {
    return fail(ErrorKind::kExhausted, fmt::format("there are {} records already", kRecordsMax));
  }
  if (record.parent && !records_.find(record.parent)) return fail(no_such_record());
  record.id = records_.new_id();
  record.sealed.clear();
  record.created_at = record.modified_at = now;
  record.modified_by = record.created_by;
  return put_record(std::move(record), secrets);
}

Result<const model::Record*> Engine::update_record(RecordId id, model::Record record,
                                                   const StringPairs& secrets, Time now) {
  const model::Record* before = records_.find(id);
  if (!before) return fail(no_such_record());
  record.id = id;
  record.family = before->family;
  record.parent = before->parent;
  record.sealed = before->sealed;
  record.created_at = before->created_at;
  record.created_by = before->created_by;
  record.modified_at = now;
  return put_record(std::move(record), secrets);
}

Result<const model::Record*> Engine::put_record(model::Record record, const StringPairs& secrets) {
  if (!refusal_.empty()) return fail(ErrorKind::kExhausted, refusal_);
  std::size_t size = record.name.size() + record.text.size();
  for (const auto& [member, plain] : secrets) size += plain.size();
  if (size > kRecordMax) return fail(ErrorKind::kExhausted, "the record is larger than 1 MiB");
  for (const auto& [member, plain] : secrets) {
    std::erase_if(record.sealed, [&](const auto& sealed) { return sealed.first == member; });
    if (plain.empty()) continue;
    record.sealed.emplace_back(member, vault_.seal(bound_to(record.id, member), plain, random_));
  }
  return records_.put(std::move(record), *open_.batch);
}

Result<> Engine::delete_record(RecordId id) {
  if (records_.remove(id, *open_.batch).empty()) return fail(no_such_record());
  return {};
}

Result<std::string> Engine::unseal(const model::Record& record, const std::string& member) const {
  const auto found = std::ranges::find(record.sealed, member, &StringPairs::value_type::first);
  if (found == record.sealed.end()) {
    return fail(ErrorKind::kNotFound, fmt::format("no secret '{}' is kept", member));
  }
  return vault_.unseal(bound_to(record.id, member), found->second);
}

}  // namespace docket::engine
