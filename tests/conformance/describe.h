#pragma once

// Rows as text with every member in it: what tests compare, and what they print when it differs.

#include <string>
#include <vector>

#include "engine/store.h"

namespace docket::conformance {

std::string describe(const model::Job& job);
std::string describe(const engine::JobRow& row);
std::string describe(const model::JobPtr& job);
std::string describe(const model::Task& task);
std::string describe(const engine::TaskRow& row);
std::string describe(const engine::FinishedRun& run);
std::string describe(const engine::ListedRow& row);
std::string describe(const model::Listing& listing);
std::string describe(const model::Lane& lane);
std::string describe(const model::ClockRecord& clock);
std::string describe(TaskId id);
std::string describe(const engine::ChildId& child);
std::string describe(const model::Event& event);
std::string describe(const model::Schedule& schedule);
std::string describe(const model::Lock& lock);
std::string describe(const model::LedgerEntry& entry);
std::string describe(const model::SealedSecret& secret);
std::string describe(const model::Record& record);
std::string describe(const engine::Snapshot& snapshot);

template <class Row>
std::string describe(const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) text.append(describe(row)).append("\n");
  return text;
}

template <class T>
std::string describe(const std::optional<T>& value) {
  return value ? describe(*value) : "none";
}

template <class T>
std::string describe(const Result<T>& result) {
  return result ? describe(*result) : "error: " + result.error().message;
}

}  // namespace docket::conformance
