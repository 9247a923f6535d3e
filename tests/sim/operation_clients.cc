#include "sim/operation_clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace docket::sim {
namespace {

using engine::Engine;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array kModules{"alpha", "beta", "gamma"};
constexpr std::size_t kOwnedMax = 60;  // live ones, of all reporters together
constexpr std::size_t kEndedMax = 30;

std::string uuid_number(std::uint64_t number) {
  return fmt::format("0a0b0c0d-0000-0000-0000-{:012x}", number);
}

}  // namespace

OperationClients::OperationClients(World& world, Dice dice, std::size_t count, Duration think_max,
                                   OperationHabits habits)
    : world_(world),
      dice_(dice),
      think_max_(think_max),
      habits_(habits),
      expectations_(world.record, world.verdict),
      waiters_(world) {
  for (std::size_t number = 0; number < count; ++number) reporters_.push_back({.number = number});
  for (Reporter& reporter : reporters_) {
    be_born(reporter);
    think(reporter);
  }
}

// ---- lives of reporters

void OperationClients::be_born(Reporter& reporter) {
  reporter.lease = dice_.spread(seconds{2}, minutes{5});
  renew_later(reporter, ++reporter.life);
}

// Its operations with leases will be lost; the next reporter takes over the others.
void OperationClients::die(Reporter& reporter) {
  for (const Owned& each : owned_) {
    if (each.reporter == reporter.number && each.life == reporter.life && each.leased)
      world_.operations.fell_silent(each.id);
  }
  world_.verdict.tell("reporter dies", reporter.number);
  be_born(reporter);
}

void OperationClients::renew_later(Reporter& reporter, std::uint64_t life) {
  const Duration pause = reporter.lease / 3 - milliseconds{100};
  world_.timeline.at(world_.timeline.now() + pause, [this, &reporter, life] {
    const bool alive = life == reporter.life || habits_.undying;
    if (!renewing_ || !alive) return;
    renew_later(reporter, life);
    const Duration way = dice_.spread(std::chrono::microseconds{50}, milliseconds{20});
    world_.timeline.at_server(world_.timeline.now() + way,
                              [this, &reporter, life] { renew(reporter, life); });
  });
}

void OperationClients::renew(const Reporter& reporter, std::uint64_t life) {
  engine::Loop* loop = world_.loop();
  if (!loop || habits_.deaf) return;
  loop->call<bool>(
      [&](Engine& engine, Time now) -> Result<bool> {
        for (const Owned& each : owned_) {
          if (each.reporter != reporter.number || each.life != life || !each.leased) continue;
          const bool heard = engine.operations().report(each.id, {}, now).has_value();
          if (heard && life == reporter.life) world_.operations.heard(each.id);
        }
        return true;
      },
      [](const Result<bool>&) {});
}

// ---- requests and answers

void OperationClients::think(Reporter& reporter) {
  world_.timeline.at(world_.timeline.now() + dice_.spread(milliseconds{10}, think_max_),
                     [this, &reporter] { ask(reporter); });
}

void OperationClients::ask(Reporter& reporter) {
  if (!active_) return;
  if (!world_.up()) return think(reporter);
  prune();
  if (dice_.percent(3)) die(reporter);
  if (const TaskId task = any_known(); task && dice_.percent(12)) {
    std::optional<Duration> patience;
    if (!dice_.percent(40)) patience = dice_.spread(milliseconds{100}, minutes{10});
    world_.timeline.at_server(world_.timeline.now() + milliseconds{1}, [this, task, patience] {
      waiters_.wait(task, patience, habits_.hasty, habits_.forgetful && dice_.percent(30));
    });
  }
  ++reporter.request;
  reporter.waiting = true;
  send(reporter, reporter.request, choose(reporter));
}

void OperationClients::send(Reporter& reporter, std::uint64_t request, Work work) {
  const Duration way = dice_.spread(std::chrono::microseconds{50}, milliseconds{20});
  world_.timeline.at_server(
      world_.timeline.now() + way,
      [this, &reporter, request, work = std::move(work)] { arrive(reporter, request, work); });
}

void OperationClients::arrive(Reporter& reporter, std::uint64_t request, const Work& work) {
  engine::Loop* loop = world_.loop();
  if (!loop) return answered(reporter, request);  // connection refused
  world_.verdict.tell("operation request", reporter.number, request);
  loop->call<Promise>(work, [this, &reporter, request](const Result<Promise>& promise) {
    if (promise) {
      ++acknowledged_;
      (*promise)();
    }
    world_.verdict.tell("operation answer", reporter.number, promise.has_value());
    answered(reporter, request);
  });
}

void OperationClients::answered(Reporter& reporter, std::uint64_t request) {
  if (reporter.request != request || !reporter.waiting) return;
  reporter.waiting = false;
  think(reporter);
}

// What was not durable is gone: its number will soon be given to another.
void OperationClients::server_died() {
  waiters_.server_died();
  const auto lost = [this](TaskId id) { return !world_.record.operations.contains(id); };
  std::erase_if(owned_, [&](const Owned& each) { return lost(each.id); });
  std::erase_if(ended_, lost);
  for (Owned& each : owned_)
    each.completed = world_.record.operations.at(each.id).task.tally.completed;
  for (Reporter& reporter : reporters_) answered(reporter, reporter.request);
}

void OperationClients::prune() {
  const auto has_ended = [this](const Owned& each) {
    const auto life = world_.record.operations.find(each.id);
    return life != world_.record.operations.end() && model::is_final(life->second.state);
  };
  for (const Owned& each : owned_) {
    if (has_ended(each)) ended_.push_back(each.id);
  }
  std::erase_if(owned_, has_ended);
  if (ended_.size() > kEndedMax)
    ended_.erase(ended_.begin(), ended_.end() - static_cast<std::ptrdiff_t>(kEndedMax));
}

// ---- the end of the world

void OperationClients::give_up() {
  renewing_ = false;
  for (const TaskId id : world_.record.live_operations) world_.operations.fell_silent(id);
}

void OperationClients::end_all(Engine& engine, Time now) {
  for (const TaskId id : world_.record.live_operations) {
    const engine::Node* node = engine.operations().find(id);
    if (node && node->what().lease == Duration::zero())
      (void)engine.operations().finish(id, {}, now);
  }
}

// ---- what they ask for

OperationClients::Owned* OperationClients::owned(TaskId id) {
  const auto found = std::ranges::find(owned_, id, &Owned::id);
  return found == owned_.end() ? nullptr : &*found;
}

TaskId OperationClients::any_known() {
  if (!ended_.empty() && dice_.percent(10)) return dice_.pick(ended_);
  return owned_.empty() ? TaskId{} : dice_.pick(owned_).id;
}

OperationClients::Work OperationClients::choose(Reporter& reporter) {
  std::vector<TaskId> own;
  for (const Owned& each : owned_) {
    if (each.reporter == reporter.number) own.push_back(each.id);
  }
  if (own.empty() || dice_.percent(20)) {
    return owned_.size() < kOwnedMax ? create(reporter, {}) : choose_of_any();
  }
  if (dice_.percent(25) && owned_.size() < kOwnedMax) return create(reporter, any_known());
  if (dice_.percent(15)) return choose_of_any();
  const TaskId task = dice_.pick(own);
  // Figures come in bursts, each without waiting for the answer to the one before.
  for (std::uint64_t more = dice_.percent(15) ? dice_.below(4) : 0; more > 0; --more)
    send(reporter, 0, report(task));
  return choose_of_own(task);
}

OperationClients::Work OperationClients::choose_of_own(TaskId own) {
  const std::uint64_t roll = dice_.below(100);
  if (roll < 50) return report(own);
  if (roll < 60) return begin(own);
  if (roll < 68) return note(own);
  return finish(own);
}

OperationClients::Work OperationClients::choose_of_any() {
  const std::uint64_t roll = dice_.below(100);
  const TaskId task = any_known();
  if (roll < 40 && task) return abort(task);
  if (roll < 55) return drain();
  if (roll < 70 && !ended_.empty()) return unlist();
  if (roll < 85) return set_ttls();
  return drop_module();
}

OperationClients::Work OperationClients::create(const Reporter& reporter, TaskId parent) {
  return
      [this, parent, number = reporter.number, life = reporter.life, what = draw(reporter, !parent),
       begins = dice_.percent(70)](Engine& engine, Time now) -> Result<Promise> {
        const auto made = engine.operations().create(what, parent, begins, now);
        if (!made) return fail(made.error());
        const TaskId id = (*made)->task.id;
        const bool leased = what.lease > Duration::zero();
        owned_.push_back({.id = id, .reporter = number, .life = life, .leased = leased});
        world_.operations.heard(id);
        if (leased && life != reporters_[number].life) world_.operations.fell_silent(id);
        return Promise([this, id, what] { expectations_.created(id, what); });
      };
}

OperationClients::Work OperationClients::begin(TaskId id) {
  return [this, id](Engine& engine, Time now) -> Result<Promise> {
    const auto begun = engine.operations().begin(id, now);
    if (!begun) return fail(begun.error());
    world_.operations.heard(id);
    return Promise([this, id] { expectations_.begun(id); });
  };
}

OperationClients::Work OperationClients::report(TaskId id) {
  return [this, id](Engine& engine, Time now) -> Result<Promise> {
    Owned* own = owned(id);
    if (!own) return fail(ErrorKind::kNotFound, "it has ended");
    const double completed = own->completed + 1;
    const auto told =
        engine.operations().report(id, {.completed = completed, .total = 2 * completed}, now);
    if (!told) return fail(told.error());
    own->completed = completed;
    world_.operations.heard(id);
    return Promise([this, id, completed] { expectations_.progressed(id, completed); });
  };
}

OperationClients::Work OperationClients::note(TaskId id) {
  return [this, id, text = fmt::format("note {}", ++last_mark_)](Engine& engine,
                                                                 Time now) -> Result<Promise> {
    const auto noted = engine.operations().note(id, text, now);
    if (!noted) return fail(noted.error());
    world_.operations.heard(id);
    return Promise([this, text] { expectations_.noted(text); });
  };
}

OperationClients::Work OperationClients::finish(TaskId id) {
  const std::string error = dice_.percent(30) ? fmt::format("error {}", ++last_mark_) : "";
  return [this, id, error](Engine& engine, Time now) -> Result<Promise> {
    const engine::Node* node = engine.operations().find(id);
    const bool stopping = node && engine::is_stopping(*node);
    const auto finished = engine.operations().finish(id, error, now);
    if (!finished) return fail(finished.error());
    const auto state = stopping        ? model::State::kAborted
                       : error.empty() ? model::State::kDone
                                       : model::State::kFailed;
    return Promise([this, id, state, error] { expectations_.ended(id, {state, error}); });
  };
}

OperationClients::Work OperationClients::abort(TaskId id) {
  return [this, id](Engine& engine, Time now) -> Result<Promise> {
    const auto aborted = engine.abort_task(id, now);
    if (!aborted) return fail(aborted.error());
    return Promise([this, id] { expectations_.asked_to_stop(id); });
  };
}

OperationClients::Work OperationClients::drop_module() {
  return [this, module = kModules[dice_.below(kModules.size())]](Engine& engine,
                                                                 Time now) -> Result<Promise> {
    std::set<TaskId> lived;
    for (const Owned& each : owned_) {
      const engine::Node* node = engine.operations().find(each.id);
      if (node && node->what().module == module) lived.insert(each.id);
    }
    const auto dropped = engine.operations().drop_module(module, now);
    if (!dropped) return fail(dropped.error());
    return Promise([this, lived] { expectations_.dropped(lived); });
  };
}

OperationClients::Work OperationClients::drain() {
  return [this, module = kModules[dice_.below(kModules.size())]](Engine& engine,
                                                                 Time) -> Result<Promise> {
    const auto drained = engine.drain(module);
    if (!drained) return fail(drained.error());
    return Promise([this, module, then = world_.record.last_event] {
      expectations_.drained(module, then, world_.disk()->state);
    });
  };
}

OperationClients::Work OperationClients::unlist() {
  return [this, id = dice_.pick(ended_)](Engine& engine, Time) -> Result<Promise> {
    engine.unlist(id);
    return Promise([this, id] { expectations_.unlisted(id, world_.disk()->state); });
  };
}

OperationClients::Work OperationClients::set_ttls() {
  const Duration ttl = dice_.percent(30) ? Duration{} : dice_.spread(seconds{1}, minutes{30});
  const Duration user_ttl = dice_.spread(seconds{1}, minutes{30});
  return [this, ttl, user_ttl](Engine& engine, Time) -> Result<Promise> {
    world_.operations.ttls_set(ttl, user_ttl);
    engine.set_task_ttls(ttl, user_ttl);
    return Promise([] {});
  };
}

model::Operation OperationClients::draw(const Reporter& reporter, bool is_root) {
  model::Operation what;
  if (is_root) what.module = kModules[dice_.below(kModules.size())];
  what.type = "backup";
  what.entity = fmt::format("mark {}", ++last_mark_);
  what.lane = static_cast<std::uint32_t>(dice_.below(3));
  what.cluster = is_root && dice_.percent(10);
  what.abortable = dice_.percent(60);
  what.user = dice_.percent(30);
  if (dice_.percent(25)) what.uuid = uuid_number(dice_.below(12));
  if (dice_.percent(30)) what.expected = static_cast<double>(dice_.between(1, 100));
  if (dice_.percent(60)) what.lease = reporter.lease * dice_.between(1, 2);
  return what;
}

}  // namespace docket::sim
