#pragma once

// The times that begun runs wait for, as their kinds asked: one instant for each run and name. Not
// durable: kinds ask again after the store was loaded. Strand only.

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>

#include "core/ids.h"
#include "core/time.h"

namespace docket::engine {

class Wakes {
 public:
  struct Entry {
    Time at = kNever;
    std::string why;           // for people
    bool begins_work = false;  // what is due then is new work, which a full store refuses
  };
  struct Due {
    TaskId run;
    std::string name;
  };

  void set(TaskId run, const std::string& name, Entry entry);  // at kNever: none
  void clear(TaskId run);
  // Takes the oldest one that is due and begins work, or does not.
  std::optional<Due> due(Time now, bool begins_work);
  Time next(bool begins_work) const;  // kNever: nothing to wait for
  const Entry* find(TaskId run, const std::string& name) const;
  const std::map<std::string, Entry>& of(TaskId run) const;
  void clock_set(Duration by);  // the time left stays as long as before

 private:
  using Order = std::set<std::tuple<Time, TaskId, std::string>>;
  Order& order(const Entry& entry) { return order_.at(entry.begins_work ? 1 : 0); }

  std::array<Order, 2> order_;
  std::unordered_map<TaskId, std::map<std::string, Entry>> of_;
};

}  // namespace docket::engine
