#include "sim/faults.h"

namespace docket::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using store::CommitFate;

}  // namespace

Faults::Faults(World& world, Dice dice) : world_(world), dice_(dice) {
  const auto sometimes = [this](std::uint64_t percent, Duration from, Duration to,
                                std::function<void()> fault) {
    if (dice_.percent(percent)) every(dice_.spread(from, to), std::move(fault));
  };
  sometimes(60, minutes{2}, minutes{60}, [this] { crash(); });
  sometimes(60, minutes{2}, minutes{30}, [this] { crash_at_commit_ = true; });
  sometimes(40, minutes{5}, minutes{60}, [this] {
    world_.health.next = dice_.percent(50) ? CommitFate::kFailedAbsent : CommitFate::kFailedThere;
  });
  sometimes(40, minutes{10}, minutes{60}, [this] { full_disk(); });
  sometimes(40, minutes{5}, minutes{60}, [this] { slow_disk(); });
  sometimes(40, minutes{5}, minutes{60}, [this] { slow_executor(); });
  sometimes(40, minutes{2}, minutes{60}, [this] { runner_dies(); });
  sometimes(40, minutes{1}, minutes{30}, [this] { world_.executor.break_connection(); });
  sometimes(40, minutes{10}, minutes{60},
            [this] { world_.executor.machine_down(now() + dice_.spread(seconds{1}, minutes{3})); });
  sometimes(30, minutes{15}, minutes{120},
            [this] { world_.step_clock(dice_.percent(50) ? hours{1} : -hours{1}); });
  sometimes(30, minutes{15}, minutes{120}, [this] { wrong_clock(); });
  sometimes(30, minutes{15}, minutes{120}, [this] { leap_second(); });
  sometimes(30, minutes{30}, minutes{120}, [this] {
    if (world_.up()) world_.freeze(minutes{10});
  });
}

void Faults::every(Duration mean, std::function<void()> fault) { repeat(mean, std::move(fault)); }

void Faults::repeat(Duration mean, const std::function<void()>& fault) {
  world_.timeline.at(now() + dice_.between(mean / 4, mean + mean * 3 / 4), [this, mean, fault] {
    if (!active_) return;
    fault();
    repeat(mean, fault);
  });
}

void Faults::stop() {
  active_ = false;
  crash_at_commit_ = false;
  crash_in_steps_ = 0;
  ++starts_;
  world_.health.next = CommitFate::kDurable;
  world_.health.latency_max = milliseconds{5};
  world_.fill_disk(false);
  world_.executor.habits.delay_max = milliseconds{20};
  world_.executor.runner.habits.fails_percent = 0;
  world_.executor.runner.habits.unstartable_percent = 0;
  // Half of the worlds start their calm phase with a restart. Nobody writes then, so the start
  // itself must set going whatever has to happen.
  if (dice_.percent(50)) world_.crash();
  world_.boot();
}

// ---- crashes

Duration Faults::downtime() {
  return dice_.percent(70) ? dice_.spread(milliseconds{10}, seconds{10})
                           : dice_.spread(seconds{10}, minutes{40});
}

void Faults::crash() {
  if (!world_.up()) return;
  crash_in_steps_ = 0;
  if (dice_.percent(15)) runner_dies();  // before it, or after
  world_.crash();
  if (dice_.percent(15)) runner_dies();
  const std::uint64_t start = ++starts_;
  world_.timeline.at(now() + downtime(), [this, start] {
    if (start == starts_ && active_) world_.boot();
  });
}

// Crashes like to come near a commit: the events around it decide who knows what.
void Faults::watch_commit() {
  if (!std::exchange(crash_at_commit_, false)) return;
  crash_in_steps_ = 1 + dice_.below(dice_.percent(70) ? 4 : 30);
}

void Faults::watch_step() {
  if (crash_in_steps_ == 0 || --crash_in_steps_ > 0) return;
  crash();
}

// The server ends when its store fails; someone starts it again.
void Faults::store_failed() {
  world_.timeline.at(now() + dice_.spread(milliseconds{1}, seconds{5}), [this] {
    if (world_.loop() == nullptr) crash();
    if (!active_) world_.boot();
  });
}

// ---- the rest

// Sets the clock far ahead, by less than what makes schedules go back with it, and right again.
void Faults::wrong_clock() {
  if (std::exchange(clock_is_wrong_, true)) return;
  const Duration by = dice_.spread(hours{2}, hours{16});
  world_.step_clock(by);
  world_.timeline.at(now() + dice_.spread(seconds{1}, minutes{30}), [this, by] {
    clock_is_wrong_ = false;
    world_.step_clock(-by);
  });
}

void Faults::leap_second() {
  if (dice_.percent(50)) return world_.step_clock(-seconds{1});  // 23:59:59 comes twice
  for (int part = 0; part < 100; ++part) {                       // smeared over 1000 seconds
    world_.timeline.at(now() + part * seconds{10},
                       [this] { world_.step_clock(-milliseconds{10}); });
  }
}

void Faults::slow_disk() {
  world_.health.latency_max = dice_.spread(milliseconds{100}, seconds{5});
  world_.timeline.at(now() + dice_.spread(seconds{10}, minutes{10}),
                     [this] { world_.health.latency_max = milliseconds{5}; });
}

void Faults::full_disk() {
  world_.fill_disk(true);
  world_.timeline.at(now() + dice_.spread(seconds{5}, minutes{15}),
                     [this] { world_.fill_disk(false); });
}

void Faults::runner_dies() {
  world_.executor.runner_dies(now() + dice_.spread(milliseconds{2}, minutes{1}));
}

void Faults::slow_executor() {
  world_.executor.habits.delay_max = dice_.spread(seconds{1}, seconds{20});
  world_.timeline.at(now() + dice_.spread(seconds{30}, minutes{10}),
                     [this] { world_.executor.habits.delay_max = milliseconds{20}; });
}

}  // namespace docket::sim
