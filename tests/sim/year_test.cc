// A year of 200 schedules in five zones, over both changes of daylight saving: every due time has
// its run, and every run its due time.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "sim/checker.h"
#include "sim/scheduled_world.h"

namespace docket::sim {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

std::vector<ScheduleWish> draw_wishes(Dice& dice) {
  static const std::vector<std::string> kZones{"America/New_York", "Europe/Rome",
                                               "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"};
  std::vector<ScheduleWish> wishes{
      {"30 2 * * *", "America/New_York"},    {"30 1 * * *", "America/New_York"},
      {"30 2 * * *", "Europe/Rome"},         {"15 * * * *", "Europe/Rome"},
      {"45 1 * * *", "Australia/Lord_Howe"}, {"0 0 29 2 *", "UTC"}};
  while (wishes.size() < 200) {
    const auto minute = dice.below(60);
    const auto hour = dice.percent(50) ? dice.below(4) : dice.below(24);
    std::string cron = fmt::format("{} {} * * *", minute, hour);
    if (dice.percent(20)) cron = fmt::format("{} {} * * {}", minute, hour, 1 + dice.below(5));
    if (dice.percent(10)) cron = fmt::format("{} {} {} * *", minute, hour, 1 + dice.below(31));
    wishes.push_back({cron, dice.pick(kZones)});
  }
  return wishes;
}

TEST(Year, EveryScheduleKeepsItsTimesOverBothClockChanges) {
  const Time start{std::chrono::sys_days{std::chrono::year{2025} / 1 / 1}};
  engine::Settings settings = ScheduledWorld::roomy();
  settings.sweep_interval = hours{24};
  ScheduledWorld docket(2025, start, settings);
  docket.world.executor.runner.habits.run_max = seconds{2};
  Dice dice(2025);
  docket.add(draw_wishes(dice));
  ASSERT_EQ(docket.schedules.size(), 200U);
  docket.run_to(hours{24} * 365);
  ASSERT_TRUE(docket.verdict.ok()) << docket.verdict.violation();

  std::map<ScheduleUid, std::vector<SeenRun>> runs;
  std::map<ScheduleUid, std::vector<Time>> told;
  for (const auto& [id, task] : docket.world.record.tasks) {
    if (!task.schedule) continue;
    runs[task.schedule].push_back({task.created_at, id});
    if (task.kind == model::TaskKind::kRun) told[task.schedule].push_back(task.due_at);
  }
  std::size_t matched = 0;
  for (const auto& kept : docket.schedules) {
    const auto due = due_times(kept.definition.cron, kept.definition.zone, kept.since,
                               docket.world.clock.now() - seconds{1});
    std::ranges::sort(told[kept.uid]);
    EXPECT_EQ(told[kept.uid], due) << kept.definition.cron.text();
    const Findings found = match(due, runs[kept.uid], seconds{1}, {});
    EXPECT_TRUE(found.right()) << kept.definition.cron.text() << " in "
                               << kept.definition.zone.name();
    matched += found.matched;
  }
  EXPECT_GT(matched, 50'000U);
}

}  // namespace
}  // namespace docket::sim
