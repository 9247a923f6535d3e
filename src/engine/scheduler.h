#pragma once

// All schedules, and which is due next. Knows only times; what a due time means is the engine's
// business. Strand only.

#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "model/schedule.h"

namespace docket::engine {

class Scheduler {
 public:
  model::Schedule& insert(
      model::Schedule schedule);  // arms it, if enabled, after schedule.checked_until
  void erase(ScheduleUid uid);
  const model::Schedule* find(ScheduleUid uid) const;
  model::Schedule* find(ScheduleUid uid);
  // The next armed due time; kNever when there is none.
  Time next_due();
  // The schedule due at or before now, or null. Its due time stays the same until advance_to.
  struct Due {
    model::Schedule* schedule;
    Time at;
  };
  std::optional<Due> due(Time now);
  // Everything up to `until` has been dealt with: arms the next due time after it.
  void advance_to(model::Schedule& schedule, Time until);
  ScheduleUid new_uid() { return ScheduleUid{++last_uid_.value}; }
  void restore(ScheduleUid last_uid) { last_uid_ = last_uid; }
  std::size_t size() const { return slots_.size(); }
  template <class F>
  void for_each(F visit) {
    for (auto& [uid, slot] : slots_) visit(*slot.schedule);
  }

 private:
  struct Slot {
    std::unique_ptr<model::Schedule> schedule;
    Time armed = kNever;  // heap entries with another time are stale
  };
  struct Alarm {
    Time at;
    ScheduleUid uid;
    bool operator>(const Alarm& other) const {
      return at != other.at ? at > other.at : uid.value > other.uid.value;
    }
  };
  void arm(Slot& slot);
  void drop_stale();

  std::unordered_map<ScheduleUid, Slot> slots_;
  std::priority_queue<Alarm, std::vector<Alarm>, std::greater<>> alarms_;
  ScheduleUid last_uid_;
};

}  // namespace docket::engine
