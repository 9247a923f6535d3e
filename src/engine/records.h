#pragma once

// The records of all families (model/record.h), in memory. Strand only. A pointer is valid until
// the record changes or goes.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "core/result.h"
#include "engine/batch.h"
#include "model/record.h"

namespace docket::engine {

class Records {
 public:
  void restore(const Snapshot& snapshot);

  const model::Record* find(RecordId id) const;  // null: unknown
  const model::Record* find(std::string_view family, RecordId parent, std::string_view name) const;
  // Of a family below a parent, by id, which is the order of their creation.
  std::vector<const model::Record*> below(std::string_view family, RecordId parent) const;
  // Of a family, whatever their parents.
  std::vector<const model::Record*> all(std::string_view family) const;
  std::size_t size() const { return records_.size(); }

  RecordId new_id() { return RecordId{++last_.value}; }
  // A new one, or one that replaces that of its id; family and parent of that stay. kConflict: its
  // name is taken.
  Result<const model::Record*> put(model::Record record, Batch& batch);
  // With everything below it, which it returns, parents first. Nothing if it is unknown.
  std::vector<RecordId> remove(RecordId id, Batch& batch);

 private:
  using Name = std::tuple<std::string, RecordId, std::string>;  // family, parent, name
  static Name name_of(const model::Record& record);
  void erase(RecordId id);

  std::map<RecordId, model::Record> records_;
  std::map<Name, RecordId> by_name_;
  std::map<std::string, std::set<RecordId>, std::less<>> of_family_;
  std::map<RecordId, std::set<RecordId>> children_;
  RecordId last_;
};

}  // namespace docket::engine
