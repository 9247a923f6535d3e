#include "sim/scheduled_world.h"

#include <fmt/format.h>

namespace docket::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

engine::Settings ScheduledWorld::roomy() {
  engine::Settings settings;
  settings.node = {.cpus = 1000,
                   .mem_mib = 1 << 20,
                   .disk_mib = 1 << 20,
                   .gpus = 0,
                   .hostname = "node1",
                   .attributes = {}};
  settings.retention = Duration::zero();
  return settings;
}

ScheduledWorld::ScheduledWorld(std::uint64_t seed, Time start, engine::Settings settings)
    : world({.seed = seed, .truth = settings, .belief = settings, .start = start, .kind = nullptr},
            verdict) {
  world.executor.runner.habits.run_max = seconds{20};
  world.executor.runner.habits.fails_percent = 0;
  world.executor.runner.habits.unstartable_percent = 0;
  world.boot();
  world.run_until(seconds{1});
}

void ScheduledWorld::add(const std::vector<ScheduleWish>& wishes) {
  for (const ScheduleWish& wish : wishes) add_one(schedules.size(), wish);
  world.run_until(world.timeline.now() + seconds{1});
}

void ScheduledWorld::add_one(std::size_t number, const ScheduleWish& wish) {
  kinds::ProcessSpec spec;
  spec.cpus = 0.01;
  spec.mem = 1;
  spec.cmd = "true";
  model::JobDefinition job{.id = fmt::format("job{}", number),
                           .description = {},
                           .labels = {},
                           .dependencies = {},
                           .spec = kinds::spec_of(std::move(spec))};
  model::ScheduleDefinition schedule{
      .id = "s", .cron = Cron::parse(wish.cron).value(), .zone = Zone::find(wish.zone).value()};
  world.loop()->call<Kept>(
      [&](engine::Engine& engine, Time now) -> Result<Kept> {
        const auto entry = engine.create_job(job, {schedule}, now);
        if (!entry) return fail(entry.error());
        return Kept{(*entry)->schedules.begin()->second, schedule, now};
      },
      [this](Result<Kept> kept) {
        verdict.require(kept.has_value(), "a schedule can be added");
        if (kept) schedules.push_back(std::move(*kept));
      });
  world.run_until(world.timeline.now() + milliseconds{20});
}

void ScheduledWorld::restart_after(Duration downtime) {
  world.crash();
  world.run_until(world.timeline.now() + downtime);
  world.boot();
}

}  // namespace docket::sim
