#include "engine/wakes.h"

#include <utility>

namespace docket::engine {

void Wakes::set(TaskId run, const std::string& name, Entry entry) {
  const auto of = of_.try_emplace(run).first;
  if (const auto known = of->second.find(name); known != of->second.end()) {
    order(known->second).erase({known->second.at, run, name});
    of->second.erase(known);
  }
  if (entry.at != kNever) {
    order(entry).emplace(entry.at, run, name);
    of->second.emplace(name, std::move(entry));
  }
  if (of->second.empty()) of_.erase(of);
}

void Wakes::clear(TaskId run) {
  const auto of = of_.find(run);
  if (of == of_.end()) return;
  for (const auto& [name, entry] : of->second) order(entry).erase({entry.at, run, name});
  of_.erase(of);
}

std::optional<Wakes::Due> Wakes::due(Time now, bool begins_work) {
  if (next(begins_work) == kNever || next(begins_work) > now) return std::nullopt;
  const auto& [at, run, name] = *order_.at(begins_work ? 1 : 0).begin();
  Due due{run, name};
  set(due.run, due.name, {});
  return due;
}

Time Wakes::next(bool begins_work) const {
  const Order& order = order_.at(begins_work ? 1 : 0);
  return order.empty() ? kNever : std::get<Time>(*order.begin());
}

const Wakes::Entry* Wakes::find(TaskId run, const std::string& name) const {
  const auto& all = of(run);
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

const std::map<std::string, Wakes::Entry>& Wakes::of(TaskId run) const {
  static const std::map<std::string, Entry> kNone;
  const auto found = of_.find(run);
  return found == of_.end() ? kNone : found->second;
}

void Wakes::clock_set(Duration by) {
  for (Order& order : order_) order.clear();
  for (auto& [run, entries] : of_) {
    for (auto& [name, entry] : entries) {
      entry.at += by;
      order(entry).emplace(entry.at, run, name);
    }
  }
}

}  // namespace docket::engine
