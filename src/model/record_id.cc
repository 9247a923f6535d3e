#include "model/record_id.h"

#include "model/task.h"

namespace docket::model {
namespace {

// They look like those of tasks, but for this digit.
constexpr std::size_t kDigit = 17;
constexpr char kOfRecord = '1', kOfTask = '0';

}  // namespace

std::string uuid_of(RecordId id) {
  std::string uuid = uuid_of(TaskId{id.value});
  uuid[kDigit] = kOfRecord;
  return uuid;
}

std::optional<RecordId> record_of_uuid(std::string_view uuid) {
  std::string text(uuid);
  if (text.size() <= kDigit || text[kDigit] != kOfRecord) return std::nullopt;
  text[kDigit] = kOfTask;
  const auto number = task_of_uuid(text);
  if (!number) return std::nullopt;
  return RecordId{number->value};
}

}  // namespace docket::model
