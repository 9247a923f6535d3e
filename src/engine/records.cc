#include "engine/records.h"

#include <algorithm>
#include <utility>

namespace docket::engine {

Records::Name Records::name_of(const model::Record& record) {
  return {record.family, record.parent, record.name};
}

void Records::restore(const Snapshot& snapshot) {
  Batch ignored;
  for (const model::Record& record : snapshot.records) static_cast<void>(put(record, ignored));
  last_ = snapshot.last_record;
}

const model::Record* Records::find(RecordId id) const {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

const model::Record* Records::find(std::string_view family, RecordId parent,
                                   std::string_view name) const {
  const auto found = by_name_.find({std::string(family), parent, std::string(name)});
  return found == by_name_.end() ? nullptr : find(found->second);
}

std::vector<const model::Record*> Records::below(std::string_view family, RecordId parent) const {
  std::vector<const model::Record*> found;
  const auto children = children_.find(parent);
  if (children == children_.end()) return found;
  for (const RecordId id : children->second) {
    const model::Record& record = records_.at(id);
    if (record.family == family) found.push_back(&record);
  }
  return found;
}

std::vector<const model::Record*> Records::all(std::string_view family) const {
  std::vector<const model::Record*> found;
  const auto members = of_family_.find(family);
  if (members == of_family_.end()) return found;
  for (const RecordId id : members->second) found.push_back(&records_.at(id));
  return found;
}

Result<const model::Record*> Records::put(model::Record record, Batch& batch) {
  const RecordId id = record.id;
  const auto named = by_name_.find(name_of(record));
  if (named != by_name_.end() && named->second != id) {
    return fail(ErrorKind::kConflict, "the name is taken");
  }
  if (const model::Record* before = find(id)) by_name_.erase(name_of(*before));
  by_name_.insert_or_assign(name_of(record), id);
  of_family_[record.family].insert(id);
  children_[record.parent].insert(id);
  last_ = std::max(last_, id);
  batch.records.push_back(record);
  return &records_.insert_or_assign(id, std::move(record)).first->second;
}

std::vector<RecordId> Records::remove(RecordId id, Batch& batch) {
  std::vector<RecordId> gone;
  if (find(id)) gone.push_back(id);
  for (std::size_t next = 0; next < gone.size(); ++next) {
    const auto children = children_.find(gone[next]);
    if (children == children_.end()) continue;
    gone.insert(gone.end(), children->second.begin(), children->second.end());
  }
  for (const RecordId each : gone) erase(each);
  batch.dropped_records.insert(batch.dropped_records.end(), gone.begin(), gone.end());
  return gone;
}

void Records::erase(RecordId id) {
  const auto found = records_.find(id);
  const model::Record& record = found->second;
  by_name_.erase(name_of(record));
  of_family_[record.family].erase(id);
  const auto siblings = children_.find(record.parent);
  if (siblings != children_.end()) siblings->second.erase(id);
  children_.erase(id);
  records_.erase(found);
}

}  // namespace docket::engine
