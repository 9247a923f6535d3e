#include "engine/scheduler.h"

#include <algorithm>

namespace docket::engine {

model::Schedule& Scheduler::insert(model::Schedule schedule) {
  const ScheduleUid uid = schedule.uid;
  last_uid_ = std::max(last_uid_, uid);
  Slot& slot = slots_[uid];
  slot.schedule = std::make_unique<model::Schedule>(std::move(schedule));
  arm(slot);
  return *slot.schedule;
}

void Scheduler::erase(ScheduleUid uid) { slots_.erase(uid); }

const model::Schedule* Scheduler::find(ScheduleUid uid) const {
  const auto it = slots_.find(uid);
  return it == slots_.end() ? nullptr : it->second.schedule.get();
}

model::Schedule* Scheduler::find(ScheduleUid uid) {
  const auto it = slots_.find(uid);
  return it == slots_.end() ? nullptr : it->second.schedule.get();
}

Time Scheduler::next_due() {
  drop_stale();
  return alarms_.empty() ? kNever : alarms_.top().at;
}

std::optional<Scheduler::Due> Scheduler::due(Time now) {
  drop_stale();
  if (alarms_.empty() || alarms_.top().at > now) return std::nullopt;
  return Due{find(alarms_.top().uid), alarms_.top().at};
}

void Scheduler::advance_to(model::Schedule& schedule, Time until) {
  schedule.checked_until = until;
  arm(slots_.at(schedule.uid));
}

void Scheduler::arm(Slot& slot) {
  const model::Schedule& schedule = *slot.schedule;
  slot.armed = kNever;
  if (!schedule.definition.enabled) return;
  const auto next = schedule.definition.cron.next(schedule.checked_until, schedule.definition.zone);
  if (!next) return;
  slot.armed = *next;
  alarms_.push({*next, schedule.uid});
}

void Scheduler::drop_stale() {
  while (!alarms_.empty()) {
    const auto it = slots_.find(alarms_.top().uid);
    if (it != slots_.end() && it->second.armed == alarms_.top().at) return;
    alarms_.pop();
  }
}

}  // namespace docket::engine
