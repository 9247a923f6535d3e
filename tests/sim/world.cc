#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sim/dump.h"
#include "sim/sim_care.h"

namespace docket::sim {
namespace {

constexpr Duration kSlow = std::chrono::milliseconds{100};  // of a disk
constexpr std::uint64_t kStepsMax = 3'000'000;              // more than any sound world needs
constexpr Duration kLongChore = std::chrono::seconds{30};   // before a piece of it is done

// Slices of retention, of the server's own engine.
class SimRetention : public care::Retention {
 public:
  SimRetention(World& world, engine::Engine& engine) : world_(world), engine_(engine) {}
  Time kept_since() override { return engine_.kept_since(world_.clock.now()); }
  void sweep(std::function<void(Result<>)> done) override {
    world_.timeline.at_server(world_.timeline.now(), [this, done = std::move(done)] {
      if (!world_.loop()) return done(fail(ErrorKind::kUnavailable, "no server"));
      world_.loop()->call<bool>(
          [](engine::Engine& engine, Time now) -> Result<bool> {
            engine.sweep_now(now);
            return true;
          },
          [done](const Result<bool>& swept) { done(swept ? Result<>{} : fail(swept.error())); });
    });
  }

 private:
  World& world_;
  engine::Engine& engine_;
};

}  // namespace

struct World::Server {
  Server(World& world, std::uint64_t seed)
      : random(seed),
        store(
            world.disk_,
            [&world](const engine::Batch& batch) {
              const store::CommitFate fate = world.health.fate();
              if (fate == store::CommitFate::kDurable || fate == store::CommitFate::kFailedThere) {
                world.operations.apply(batch);
                world.rules_.apply(batch);
                world.steps.apply(batch);
                world.chores.apply(batch);
                for (const model::Task& task : batch.tasks) world.processes.stored(task);
              }
              return fate;
            }),
        reserve(world.health),
        reactor(world.timeline, world.clock, Dice(seed + 1)),
        committer(world.timeline, store, world.health, Dice(seed + 2), world.verdict),
        tester(world.clock,
               [&world](Duration delay, std::function<void()> work) {
                 world.timeline.at_server(world.timeline.now() + delay, std::move(work));
               }),
        echo(tester, Dice(seed + 3)),
        engine(world.plan_.belief, random, world.vault_, world.kinds_),
        care(world.chores, Dice(seed + 4), world.plan_.pretends),
        retention(world, engine),
        pace(seed + 5),
        carer({.care = care,
               .retention = retention,
               .clock = world.clock,
               .background = [this, &world](auto piece) { later(world, pace, std::move(piece)); },
               .post =
                   [&world](auto work) {
                     world.timeline.at_server(world.timeline.now(), std::move(work));
                   }},
              "/nonexistent") {
    echo.renumbers = world.plan_.renumbers;
  }

  static void later(World& world, Dice& pace, std::function<void()> piece) {
    const Duration pause = pace.spread(std::chrono::milliseconds{1}, kLongChore);
    world.timeline.at_server(world.timeline.now() + pause, std::move(piece));
  }

  testing::SeededRandom random;
  store::MemoryStore store;
  SimReserve reserve;
  SimReactor reactor;
  SimCommitter committer;
  test_executor::TestExecutor tester;
  Echo echo;
  engine::Engine engine;
  SimCare care;
  SimRetention retention;
  Dice pace;
  care::CareExecutor carer;
  std::unique_ptr<engine::Loop> loop;
  bool serving = false;
};

World::World(const WorldPlan& plan, Verdict& its_verdict)
    : verdict(its_verdict),
      dice(plan.seed),
      clock(timeline, plan.start),
      processes(record, verdict, plan.truth),
      operations(record, verdict, clock, plan.truth),
      steps(record, verdict),
      chores(verdict),
      executor(timeline, clock, health, dice.fork(), processes, verdict),
      plan_(plan),
      rules_(record, verdict, clock, plan_.truth),
      process_kind_(plan.belief.kill_grace),
      process_twice_(plan_.kind ? *plan_.kind : process_kind_, verdict),
      maintenance_twice_(plan_.maintenance_kind ? *plan_.maintenance_kind : maintenance_kind_,
                         verdict),
      test_twice_(plan_.test_kind ? *plan_.test_kind : test_kind_, verdict),
      kinds_{&process_twice_, &maintenance_twice_, &test_twice_},
      disk_(std::make_shared<store::MemoryDisk>()) {}

World::~World() = default;

void World::boot() {
  if (server_) return;
  verdict.tell("boot");
  if (went_down_ != kNever) outages.push_back({Outage::Why::kDown, went_down_, clock.now()});
  went_down_ = kNever;
  server_ = std::make_unique<Server>(*this, dice.next());
  Server& server = *server_;
  engine::Snapshot snapshot = server.store.load().value();
  check_loaded(snapshot);
  if (on_boot_) on_boot_(snapshot);
  server.engine.restore(std::move(snapshot), clock.now());
  operations.booted();
  server.loop = std::make_unique<engine::Loop>(
      server.engine, server.committer,
      engine::Executors(executor,
                        {{care::kName, &server.carer}, {test_executor::kName, &server.echo}}),
      clock, server.reactor, plan_.with_reserve ? &server.reserve : nullptr);
  server.committer.on_begin([this] {
    if (health.latency_max >= kSlow) operations.disturbed(timeline.now());
    if (on_commit_) on_commit_();
  });
  server.loop->on_failure([this](const Error&) {
    verdict.tell("store failed");
    if (server_) server_->serving = false;
    if (on_failure_) on_failure_();
  });
  server.loop->start([this, &server](const Result<>& ready) {
    server.serving = ready.has_value();
    operations.disturbed(timeline.now());
  });
}

void World::crash() {
  if (!server_) return;
  verdict.tell("crash");
  timeline.next_server();
  server_->committer.server_died();
  server_.reset();
  executor.server_died();
  went_down_ = clock.now();
  if (on_crash_) on_crash_();
}

void World::freeze(Duration how_long) {
  verdict.tell("freeze", how_long.count());
  outages.push_back({Outage::Why::kFrozen, clock.now(), clock.now() + how_long});
  operations.disturbed(timeline.now() + how_long);
  stirred_ = timeline.now() + how_long;
  timeline.freeze_server(timeline.now() + how_long);
}

void World::step_clock(Duration by) {
  verdict.tell("clock steps", by.count());
  const Time before = clock.now();
  clock.step(by);
  outages.push_back(
      {Outage::Why::kClock, std::min(before, clock.now()), std::max(before, clock.now())});
  stirred_ = std::max(stirred_, timeline.now());
  operations.clock_set(by);
  if (server_) server_->reactor.clock_stepped();
}

void World::fill_disk(bool full) {
  if (health.full == full) return;
  verdict.tell("disk full", full);
  health.full = full;
  if (full) {
    became_full_ = clock.now();
  } else {
    executor.runner.room();
    operations.disturbed(timeline.now());
    outages.push_back({Outage::Why::kFull, became_full_, clock.now()});
  }
}

engine::Loop* World::loop() { return server_ && server_->serving ? server_->loop.get() : nullptr; }

const engine::Engine& World::engine() const { return server_->engine; }

bool World::at_rest() const {
  return server_ && server_->serving && !server_->engine.dirty() && !server_->committer.busy() &&
         !server_->loop->full();
}

void World::audit() {
  if (!at_rest()) return;
  testing::SeededRandom random(1);
  engine::Engine twin(plan_.belief, random, vault_, kinds_);
  twin.restore(server_->store.load().value(), clock.now());
  const std::set<TaskId>& live = record.live_operations;
  const std::string differs = difference(dump(server_->engine, live), dump(twin, live));
  verdict.require(differs.empty(), "a restart changes nothing", differs);
  operations.check_leases();
}

void World::check_loaded(const engine::Snapshot& snapshot) {
  std::size_t jobs = 0;
  for (const engine::JobRow& row : snapshot.jobs) jobs += row.deleted ? 0 : 1;
  std::size_t expected = 0;
  for (const auto& [uid, life] : record.jobs) expected += life.row.deleted ? 0 : 1;
  verdict.require(jobs == expected && snapshot.schedules.size() == record.schedules.size(),
                  "what was durable is there after a restart",
                  fmt::format("{} jobs of {}, {} schedules of {}", jobs, expected,
                              snapshot.schedules.size(), record.schedules.size()));
  std::set<TaskId> loaded;
  for (const model::Task& task : snapshot.tasks) loaded.insert(task.id);
  for (const auto& [uid, life] : record.jobs) {
    verdict.require(
        std::ranges::includes(loaded, life.active) && std::ranges::includes(loaded, life.live),
        "what lives is loaded", life.row.job->id());
  }
  operations.check_loaded(snapshot);
  steps.check_loaded(snapshot);
  for (const model::Task& task : snapshot.tasks) {
    if (task.operation) continue;
    const model::Task* known = record.task(task.id);
    verdict.require(known && known->state == task.state && known->stopping == task.stopping,
                    "what was durable is there after a restart",
                    fmt::format("task {}", task.id.value));
  }
  verdict.require(
      snapshot.last_event == record.last_event && snapshot.last_task >= record.last_task,
      "numbers are never used again",
      fmt::format("event {} after {}", snapshot.last_event.value, record.last_event.value));
}

void World::run_until(Duration until) {
  while (verdict.ok() && timeline.now() < until) {
    if (before_step_) before_step_();
    verdict.at(timeline.now().count());
    timeline.step_until(until);
    if (timeline.steps() > kStepsMax)
      verdict.violated("the world comes to rest", "too many events");
  }
}

}  // namespace docket::sim
