#include "sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/explain.h"
#include "sim/caretakers.h"
#include "sim/clients.h"
#include "sim/damage.h"
#include "sim/faults.h"
#include "sim/operation_clients.h"
#include "sim/world.h"

namespace docket::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Half of all worlds begin within a day of a change of daylight saving somewhere.
Time draw_start(Dice& dice) {
  using namespace std::chrono;  // NOLINT: calendar literals
  static const std::vector<Time> kChanges{
      sys_days{2025y / March / 9} + hours{7},    sys_days{2025y / March / 30} + hours{1},
      sys_days{2025y / April / 5} + hours{15},   sys_days{2025y / October / 4} + hours{15} + 30min,
      sys_days{2025y / October / 26} + hours{1}, sys_days{2025y / November / 2} + hours{6}};
  if (dice.percent(50)) return dice.pick(kChanges) - dice.between(Duration{0}, hours{2});
  return Time{sys_days{2024y / January / 1}} + dice.between(Duration{0}, hours{24 * 700});
}

engine::Settings draw_settings(Dice& dice) {
  engine::Settings settings;
  settings.node = {.cpus = static_cast<double>(dice.between(2, 8)),
                   .mem_mib = static_cast<double>(dice.between(512, 4096)),
                   .disk_mib = 10240,
                   .gpus = 0,
                   .hostname = "node1",
                   .attributes = {}};
  settings.running_max = static_cast<std::uint32_t>(dice.between(2, 30));
  settings.queued_max = static_cast<std::uint32_t>(dice.between(10, 300));
  settings.retention = Duration::zero();
  if (dice.percent(30)) {
    settings.retention = dice.spread(minutes{5}, hours{2});
    settings.sweep_roots_max = static_cast<std::uint32_t>(dice.between(1, 100));
    settings.sweep_rows_max = static_cast<std::uint32_t>(dice.between(1, 1000));
  }
  return settings;
}

engine::Settings mutate(engine::Settings settings, Mutation mutation) {
  if (mutation == Mutation::kLateRuns) settings.lateness_max = hours{24};
  if (mutation == Mutation::kOvertakes) settings.overtaking_max = hours{24 * 365};
  if (mutation == Mutation::kSweepsEarly) settings.retention /= 2;
  if (mutation == Mutation::kRoomierNode) settings.node.cpus *= 2;
  return settings;
}

class Lockless : public kinds::ProcessKind {
 public:
  using ProcessKind::ProcessKind;
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override {
    model::Needs needs = ProcessKind::needs(job, parameters, key);
    needs.locks = {};
    return needs;
  }
};

class Unconstrained : public kinds::ProcessKind {
 public:
  using ProcessKind::ProcessKind;
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override {
    model::Needs needs = ProcessKind::needs(job, parameters, key);
    needs.constraints = {};
    return needs;
  }
};

class Forgetful : public kinds::ProcessKind {
 public:
  using ProcessKind::ProcessKind;
  Result<engine::PayloadPtr> payload(const engine::View& view, const engine::Node& of,
                                     TaskId attempt,
                                     const engine::SecretSource& secrets) const override {
    auto made = ProcessKind::payload(view, of, attempt, secrets);
    if (!made || !view.run().task.parameters) return made;
    runner::LaunchSpec bare = *engine::get_if<runner::LaunchSpec>(*made);
    bare.env.clear();
    return engine::payload_of(std::move(bare));
  }
};

// Tries again what it should not.
class Repeater : public kinds::ProcessKind {
 public:
  using ProcessKind::ProcessKind;
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override {
    const auto* ended = std::get_if<engine::Ended>(&happening);
    if (ended && repeats(view, ended->report)) {
      return {engine::Wake{.name = "backoff", .at = view.now(), .begins_work = true}};
    }
    return ProcessKind::plan(view, happening);
  }

 private:
  virtual bool repeats(const engine::View& view, const engine::AttemptReport& report) const = 0;
};

class Tireless : public Repeater {
  using Repeater::Repeater;
  bool repeats(const engine::View& view, const engine::AttemptReport& report) const override {
    return report.succeeded() && view.run().task.id.value % 10 == 0;
  }
};

class Stubborn : public Repeater {
  using Repeater::Repeater;
  bool repeats(const engine::View&, const engine::AttemptReport& report) const override {
    return report.phase == engine::AttemptPhase::kLost;
  }
};

std::shared_ptr<const engine::Kind> mutant(Mutation mutation, Duration grace) {
  if (mutation == Mutation::kIgnoresLocks) return std::make_shared<Lockless>(grace);
  if (mutation == Mutation::kAnywhere) return std::make_shared<Unconstrained>(grace);
  if (mutation == Mutation::kForgetful) return std::make_shared<Forgetful>(grace);
  if (mutation == Mutation::kRestartsLost) return std::make_shared<Stubborn>(grace);
  if (mutation == Mutation::kRunsAgain) return std::make_shared<Tireless>(grace);
  return nullptr;
}

// Lets too many steps run, ends a run before its last step, or plans by counting.
class Eager : public kinds::TestKind {
 public:
  explicit Eager(Mutation mutation) : mutation_(mutation) {}
  engine::Plan plan(const engine::View& view, const engine::Happening& happening) const override {
    engine::Plan plan = TestKind::plan(view, happening);
    if (mutation_ == Mutation::kPlansAtWhim && ++asked_ % 7 == 0) plan.clear();
    if (mutation_ == Mutation::kEndsEarly && std::holds_alternative<engine::Ended>(happening)) {
      plan.emplace_back(engine::Finish{});
    }
    if (mutation_ != Mutation::kOverworks || view.run().steps().empty() || plan.size() != 1) {
      return plan;
    }
    const auto* launch = std::get_if<engine::Launch>(&plan[0]);
    if (!launch || launch->executor.empty()) return plan;
    for (const auto& [key, step] : view.run().steps()) {
      const bool leaf = step->what().type == "leaf" && step->task.state == model::State::kCreated;
      if (leaf && key != launch->key) {
        plan.emplace_back(engine::Launch{.key = key, .executor = launch->executor});
        break;
      }
    }
    return plan;
  }

 private:
  Mutation mutation_;
  mutable int asked_ = 0;
};

// Does not state all that it needs.
class Modest : public kinds::TestKind {
 public:
  explicit Modest(Mutation mutation) : mutation_(mutation) {}
  model::Needs needs(const model::Job& job, const model::RunParameters* parameters,
                     std::string_view key) const override {
    model::Needs needs = TestKind::needs(job, parameters, key);
    if (mutation_ == Mutation::kBeginsEarly) needs.not_before = kNever;
    if (mutation_ != Mutation::kStepsTogether || key.empty() || needs.locks.empty()) return needs;
    needs.locks = {};
    ++needs.demand.cpus_micro;  // it still waits in the queue
    return needs;
  }

 private:
  Mutation mutation_;
};

std::shared_ptr<const engine::Kind> test_mutant(Mutation mutation) {
  if (mutation == Mutation::kStepsTogether || mutation == Mutation::kBeginsEarly) {
    return std::make_shared<Modest>(mutation);
  }
  const bool eager = mutation == Mutation::kEndsEarly || mutation == Mutation::kOverworks ||
                     mutation == Mutation::kPlansAtWhim;
  return eager ? std::make_shared<Eager>(mutation) : nullptr;
}

class Crowd : public kinds::MaintenanceKind {
 public:
  model::Needs needs(const model::Job&, const model::RunParameters*,
                     std::string_view) const override {
    return {};
  }
};

OperationHabits habits(Mutation mutation) {
  return {.deaf = mutation == Mutation::kDeaf,
          .undying = mutation == Mutation::kUndying,
          .hasty = mutation == Mutation::kHasty,
          .forgetful = mutation == Mutation::kForgetsWaiters};
}

class Simulation {
 public:
  explicit Simulation(const SeedOptions& options)
      : options_(options),
        verdict_(options.verbose),
        dice_(options.seed),
        storm_(dice_.between(minutes{20}, minutes{90})),
        world_(plan(options), verdict_),
        clients_(world_, dice_.fork(), 4 + dice_.below(30), dice_.spread(seconds{20}, minutes{4})),
        faults_(world_, dice_.fork()),
        reporters_(world_, dice_.fork(), 2 + dice_.below(4), dice_.spread(seconds{20}, minutes{4}),
                   habits(options.mutation)),
        caretakers_(world_, dice_.fork(), dice_.spread(seconds{20}, minutes{10})) {
    RunnerHabits& runner = world_.executor.runner.habits;
    runner.starts_twice = options.mutation == Mutation::kStartsTwice;
    runner.forgets = options.mutation == Mutation::kForgetsClaims;
    runner.misreports = options.mutation == Mutation::kMisreports;
    world_.executor.habits.says_once = options.mutation == Mutation::kSaysOnce;
    world_.clock.blind = options.mutation == Mutation::kBlindClock;
    world_.health.lies = options.mutation == Mutation::kLosesCommits;
    world_.health.damage = damage_of(options.mutation);
    world_.on_boot([this](const engine::Snapshot& snapshot) {
      clients_.expectations().check_definitions(snapshot);
      clients_.expectations().check_runs(world_.disk()->state);
      reporters_.check(world_.disk()->state);
    });
    world_.on_crash([this] {
      ++crashes_;
      clients_.server_died();
      reporters_.server_died();
    });
    world_.on_commit([this] { faults_.watch_commit(); });
    world_.on_failure([this] { faults_.store_failed(); });
    world_.before_step([this] { faults_.watch_step(); });
  }

  SeedReport run() {
    world_.boot();
    audit_now_and_then();
    world_.run_until(storm_);
    calm();
    finish();
    if (verdict_.ok()) judge_end();
    return {verdict_.violation(),
            verdict_.hash(),
            world_.timeline.steps(),
            clients_.acknowledged() + reporters_.acknowledged() + caretakers_.acknowledged(),
            world_.record.batches,
            world_.processes.spawned_in_all(),
            crashes_};
  }

 private:
  WorldPlan plan(const SeedOptions& options) {
    const engine::Settings truth = draw_settings(dice_);
    return {dice_.next(),
            truth,
            mutate(truth, options.mutation),
            draw_start(dice_),
            mutant(options.mutation, truth.kill_grace),
            test_mutant(options.mutation),
            options.mutation == Mutation::kCaresTogether ? std::make_shared<Crowd>() : nullptr,
            options.mutation == Mutation::kPretends,
            options.mutation == Mutation::kRenumbers,
            dice_.percent(70)};
  }

  void audit_now_and_then() {
    world_.timeline.at(world_.timeline.now() + dice_.spread(seconds{10}, minutes{10}), [this] {
      world_.audit();
      reporters_.waiters().check();
      audit_now_and_then();
    });
  }

  // No more faults: within a quarter of an hour the server is in order and every schedule on time.
  void calm() {
    verdict_.tell("calm");
    clients_.stop();
    reporters_.stop();
    caretakers_.stop();
    faults_.stop();
    world_.run_until(storm_ + minutes{15});
    if (!verdict_.ok()) return;
    verdict_.require(world_.loop() != nullptr, "the server comes back");
    clients_.expectations().check_definitions(world_.disk()->state.snapshot());
    const Time now = world_.clock.now() - seconds{10};
    for (const auto& [uid, schedule] : world_.record.schedules) {
      const auto& definition = schedule.definition;
      const auto due = definition.cron.next(schedule.checked_until, definition.zone);
      verdict_.require(!definition.enabled || !due || *due > now, "schedules keep their times",
                       fmt::format("schedule {} was due at {} and it is {}", uid.value,
                                   format_rfc3339(due.value_or(kNever)), format_rfc3339(now)));
    }
  }

  // Schedules end, runs that fit nowhere are stopped; the rest has to come to its end by itself.
  void finish() {
    if (!verdict_.ok()) return;
    verdict_.tell("finish");
    operate([](engine::Engine& engine, Time now) { end_schedules(engine, now); });
    reporters_.give_up();
    const Duration limit = world_.timeline.now() + hours{24 * 7};
    while (verdict_.ok() && world_.timeline.now() < limit && !done()) {
      operate([this](engine::Engine& engine, Time now) {
        stop_misfits(engine, now);
        resume_all(engine, now);
        if (options_.mutation != Mutation::kAbandons) reporters_.end_all(engine, now);
      });
      world_.run_until(world_.timeline.now() + minutes{1});
    }
    verdict_.require(done(), "every run ends", waiting());
  }

  void operate(const std::function<void(engine::Engine&, Time)>& work) {
    world_.loop()->call<bool>(
        [&](engine::Engine& engine, Time now) -> Result<bool> {
          work(engine, now);
          return true;
        },
        [](const Result<bool>&) {});
  }

  static void end_schedules(engine::Engine& engine, Time now) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& [id, entry] : engine.jobs()) {
      for (const auto& [schedule, uid] : entry->schedules) all.emplace_back(id, schedule);
    }
    for (const auto& [job, schedule] : all) (void)engine.remove_schedule(job, schedule, now);
  }

  static void stop_misfits(engine::Engine& engine, Time now) {
    std::vector<TaskId> misfits;
    for (const auto& [id, waits] : engine.queue().waiting()) {
      const engine::Node& run = *waits.task;
      const bool fits = engine.queue().fits_empty(*engine.queue().demand_of(run));
      const kinds::ProcessSpec* process = process_of(*run.job);
      const bool nowhere = process && engine.targets().unmet(process->constraints);
      if (!fits || nowhere) misfits.push_back(run.task.root);
    }
    for (const TaskId run : misfits) (void)engine.stop_run(run, now);
  }

  // Resumes runs that were paused and never resumed.
  void resume_all(engine::Engine& engine, Time now) {
    for (const auto& [uid, life] : world_.record.jobs) {
      for (const TaskId run : life.active) (void)engine.ask(run, "resume", {}, now);
    }
  }

  bool done() const {
    const engine::Engine& engine = world_.engine();
    const bool for_later = std::ranges::any_of(
        world_.record.jobs, [](const auto& job) { return !job.second.active.empty(); });
    return world_.at_rest() && !for_later && engine.queue().size() == 0 &&
           engine.queue().running() == 0 && engine.operations().live() == 0 &&
           world_.executor.idle();
  }

  std::string waiting() {
    const engine::Queue& queue = world_.engine().queue();
    std::string text = fmt::format("{} wait, {} run", queue.size(), queue.running());
    if (queue.size() > 0) {
      const TaskId first = queue.waiting().begin()->first;
      text += fmt::format(", first {}", first.value);
      const auto why = engine::Explainer(world_.engine(), world_.clock.now()).run(first);
      for (const auto& reason : why->reasons) text += "; " + reason.message;
    }
    if (const std::size_t live = world_.engine().operations().live(); live > 0)
      text += fmt::format(", {} operations", live);
    if (!world_.executor.idle()) text += ", the executor is not idle";
    return text;
  }

  void judge_end() {
    const engine::Engine& engine = world_.engine();
    for (std::uint64_t id = 1; id <= world_.record.last_task.value; ++id) {
      verdict_.require(!engine.find_task(TaskId{id}), "nothing is left in memory",
                       fmt::format("task {}", id));
    }
    for (const auto& [id, entry] : engine.jobs()) {
      verdict_.require(entry->active.empty() && entry->terminating == 0,
                       "nothing is left in memory", id);
    }
    verdict_.require(engine.queue().free() == engine.queue().total(), "all capacity is given back");
    verdict_.require(world_.processes.live() == 0, "no process is left");
    for (const auto& [name, lock] : world_.record.locks)
      verdict_.require(!lock.holder, "all locks are free", name);
    for (const auto& [id, task] : world_.record.tasks)
      verdict_.require(model::is_final(task.state), "every run ends",
                       fmt::format("task {}", id.value));
    clients_.expectations().check_all_ended();
    verdict_.require(world_.record.live_operations.empty(), "every operation ends");
    world_.audit();
    reporters_.waiters().check();
    clients_.expectations().check_runs(world_.disk()->state);
    reporters_.check(world_.disk()->state);
  }

  SeedOptions options_;
  Verdict verdict_;
  Dice dice_;
  Duration storm_;
  World world_;
  Clients clients_;
  Faults faults_;
  OperationClients reporters_;
  Caretakers caretakers_;
  std::size_t crashes_ = 0;
};

}  // namespace

SeedReport run_seed(const SeedOptions& options) { return Simulation(options).run(); }

}  // namespace docket::sim
