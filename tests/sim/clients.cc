#include "sim/clients.h"

#include <fmt/format.h>

#include <array>

#include "kinds/process/spec.h"
#include "kinds/test/spec.h"
#include "sim/process_rules.h"

namespace docket::sim {
namespace {

using engine::Engine;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kJobsEach = 3;
constexpr std::array kSchedules{"s0", "s1"};
constexpr std::size_t kRunsKnown = 50;

std::string secret_of(std::size_t client) { return fmt::format("c{}/pw", client); }

}  // namespace

Clients::Clients(World& world, Dice dice, std::size_t count, Duration think_max)
    : world_(world),
      dice_(dice),
      think_max_(think_max),
      expectations_(world.record, world.verdict) {
  for (std::size_t number = 0; number < count; ++number) {
    Client& client = clients_.emplace_back();
    client.number = number;
    for (std::size_t job = 0; job < kJobsEach; ++job) {
      const bool exclusive = job == 0 && number % 2 == 0;
      client.jobs.push_back(fmt::format("c{}.j{}{}", number, job, exclusive ? kExclusive : ""));
      if (!exclusive) everybodys_.push_back(client.jobs.back());
    }
  }
  for (Client& client : clients_) think(client);
}

// ---- requests and answers

void Clients::think(Client& client) {
  world_.timeline.at(world_.timeline.now() + dice_.spread(milliseconds{10}, think_max_),
                     [this, &client] { ask(client); });
}

void Clients::ask(Client& client) {
  if (!active_) return;
  if (!world_.up()) return think(client);
  const std::uint64_t request = ++client.request;
  client.waiting = true;
  const Duration way = dice_.spread(std::chrono::microseconds{50}, milliseconds{20});
  world_.timeline.at_server(
      world_.timeline.now() + way,
      [this, &client, request, work = choose(client)] { arrive(client, request, work); });
}

void Clients::arrive(Client& client, std::uint64_t request, const Work& work) {
  engine::Loop* loop = world_.loop();
  if (!loop) return answered(client, request);  // connection refused
  world_.verdict.tell("request", client.number, request);
  loop->call<Effect>(
      [this, &work](Engine& engine, Time now) {
        Result<Effect> effect = work(engine, now);
        if (effect) expectations_.may_happen(*effect);
        return effect;
      },
      [this, &client, request](const Result<Effect>& effect) {
        if (effect) {
          ++acknowledged_;
          expectations_.acknowledged(*effect);
        }
        world_.verdict.tell("answer", client.number, effect.has_value());
        answered(client, request);
      });
}

void Clients::answered(Client& client, std::uint64_t request) {
  if (client.request != request || !client.waiting) return;
  client.waiting = false;
  think(client);
}

void Clients::server_died() {
  for (Client& client : clients_) answered(client, client.request);
}

// ---- what they ask for

Clients::Work Clients::choose(Client& client) {
  const std::string& job = dice_.pick(client.jobs);
  const std::uint64_t roll = dice_.below(100);
  if (roll < 12) return create(job);
  if (roll < 18) return update(job);
  if (roll < 21) return remove(job);
  if (roll < 28) return add_schedule(job);
  if (roll < 33) return change_schedule(job);
  if (roll < 36) return remove_schedule(job);
  if (roll < 38) return put_secret(client);
  if (roll < 39) return delete_secret(client);
  if (roll < 84 || runs_.empty()) return start();
  if (roll < 86) return ask_run();
  return stop_run();
}

Clients::Work Clients::create(const std::string& job) {
  model::JobDefinition definition = draw_job(job);
  auto schedules = draw_schedules(job);
  if (!definition.dependencies.empty()) schedules.clear();
  return [=](Engine& engine, Time now) -> Result<Effect> {
    const auto entry = engine.create_job(definition, schedules, now);
    if (!entry) return fail(entry.error());
    Effect effect;
    effect.writes[job_key(job)] = mark_of((*entry)->job());
    for (const char* id : kSchedules) effect.writes[schedule_key(job, id)] = std::nullopt;
    for (const auto& schedule : schedules)
      effect.writes[schedule_key(job, schedule.id)] = schedule.starting_deadline_s;
    return effect;
  };
}

Clients::Work Clients::update(const std::string& job) {
  model::JobDefinition definition = draw_job(job);
  if (dice_.percent(50)) {
    return [=](Engine& engine, Time now) -> Result<Effect> {
      const auto entry = engine.update_job(job, definition, now);
      if (!entry) return fail(entry.error());
      return Effect{{{job_key(job), mark_of((*entry)->job())}}, {}, {}};
    };
  }
  auto schedules = draw_schedules(job);
  if (!definition.dependencies.empty()) schedules.clear();
  return [=](Engine& engine, Time now) -> Result<Effect> {
    const auto entry = engine.update_job(job, definition, schedules, now);
    if (!entry) return fail(entry.error());
    Effect effect;
    effect.writes[job_key(job)] = mark_of((*entry)->job());
    for (const char* id : kSchedules) effect.writes[schedule_key(job, id)] = std::nullopt;
    for (const auto& schedule : schedules)
      effect.writes[schedule_key(job, schedule.id)] = schedule.starting_deadline_s;
    return effect;
  };
}

Clients::Work Clients::remove(const std::string& job) {
  const auto active = dice_.percent(70) ? engine::ActiveRuns::kStop : engine::ActiveRuns::kRefuse;
  return [=](Engine& engine, Time now) -> Result<Effect> {
    const auto deleted = engine.delete_job(job, active, now);
    if (!deleted) return fail(deleted.error());
    Effect effect;
    effect.writes[job_key(job)] = std::nullopt;
    for (const char* id : kSchedules) effect.writes[schedule_key(job, id)] = std::nullopt;
    return effect;
  };
}

Clients::Work Clients::add_schedule(const std::string& job) {
  return [=, schedule = draw_schedule(job, kSchedules[dice_.below(2)])](
             Engine& engine, Time now) -> Result<Effect> {
    const auto added = engine.add_schedule(job, schedule, now);
    if (!added) return fail(added.error());
    return Effect{{{schedule_key(job, schedule.id), mark_of(**added)}}, {}, {}};
  };
}

Clients::Work Clients::change_schedule(const std::string& job) {
  return [=, schedule = draw_schedule(job, kSchedules[dice_.below(2)])](
             Engine& engine, Time now) -> Result<Effect> {
    const auto changed = engine.update_schedule(job, schedule, now);
    if (!changed) return fail(changed.error());
    return Effect{{{schedule_key(job, schedule.id), mark_of(**changed)}}, {}, {}};
  };
}

Clients::Work Clients::remove_schedule(const std::string& job) {
  return [=, id = std::string(kSchedules[dice_.below(2)])](Engine& engine,
                                                           Time now) -> Result<Effect> {
    const auto removed = engine.remove_schedule(job, id, now);
    if (!removed) return fail(removed.error());
    return Effect{{{schedule_key(job, id), std::nullopt}}, {}, {}};
  };
}

Clients::Work Clients::start() {
  std::shared_ptr<const model::RunParameters> parameters;  // shared: see model::Task
  if (dice_.percent(30)) {
    parameters = std::make_shared<model::RunParameters>(
        model::RunParameters{{{"MARK", std::to_string(++last_mark_)}}, {}});
  } else if (dice_.percent(20)) {
    const Time later = world_.clock.now() + dice_.spread(seconds{1}, std::chrono::minutes{20});
    parameters = std::make_shared<model::RunParameters>(
        model::RunParameters{{{kinds::kNotBefore, format_rfc3339(later)}}, {}});
  }
  return [this, parameters, job = dice_.pick(everybodys_)](Engine& engine,
                                                           Time now) -> Result<Effect> {
    const auto run = engine.start_run(job, parameters, now);
    if (!run) return fail(run.error());
    Effect effect;
    effect.started = (*run)->task.id;
    runs_.push_back({effect.started, job, (*run)->task.name});
    if (runs_.size() > kRunsKnown) runs_.erase(runs_.begin());
    return effect;
  };
}

Clients::Work Clients::stop_run() {
  return [run = dice_.pick(runs_), by_name = dice_.percent(50)](Engine& engine,
                                                                Time now) -> Result<Effect> {
    const auto stopped =
        by_name ? engine.stop_run(run.job, run.name, now) : engine.stop_run(run.id, now);
    if (!stopped) return fail(stopped.error());
    Effect effect;
    effect.stopped = stopped->run.id;
    return effect;
  };
}

// A client may leave a run paused: a paused run is resumed or stopped in the end.
Clients::Work Clients::ask_run() {
  return [run = dice_.pick(runs_), word = dice_.percent(50) ? "pause" : "resume"](
             Engine& engine, Time now) -> Result<Effect> {
    const auto asked = engine.ask(run.id, word, {}, now);
    if (!asked) return fail(asked.error());
    return Effect{};
  };
}

Clients::Work Clients::put_secret(const Client& client) {
  return [path = secret_of(client.number), mark = ++last_mark_](Engine& engine,
                                                                Time now) -> Result<Effect> {
    const auto put = engine.put_secret(path, std::to_string(mark), now);
    if (!put) return fail(put.error());
    return Effect{{{secret_key(path), mark}}, {}, {}};
  };
}

Clients::Work Clients::delete_secret(const Client& client) {
  return [path = secret_of(client.number)](Engine& engine, Time) -> Result<Effect> {
    const auto deleted = engine.delete_secret(path);
    if (!deleted) return fail(deleted.error());
    return Effect{{{secret_key(path), std::nullopt}}, {}, {}};
  };
}

// ---- definitions

std::vector<kinds::TestStep> Clients::draw_steps(int depth) {
  std::vector<kinds::TestStep> steps;
  for (std::uint64_t i = 1 + dice_.below(3); i > 0; --i) {
    kinds::TestStep step{.name = std::to_string(i), .folds = dice_.percent(20)};
    if (depth > 0 && dice_.percent(50)) step.steps = draw_steps(depth - 1);
    if (step.steps.empty() && dice_.percent(30)) step.needs = draw_needs();
    if (step.steps.empty() && dice_.percent(30)) {
      step.in_server = true;
      step.seconds = static_cast<double>(dice_.below(60));
      step.fails = dice_.percent(10);
      step.parts = static_cast<std::int64_t>(dice_.below(4));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

// The needs of a leaf. Its run may have a lock, too, so the leaf must not wait for one without
// limit.
kinds::TestNeeds Clients::draw_needs() {
  kinds::TestNeeds needs;
  if (dice_.percent(50)) needs.cpus = static_cast<double>(dice_.between(1, 20)) / 10;
  if (dice_.percent(50)) {
    needs.locks.push_back({fmt::format("lock{}", dice_.below(4)),
                           dice_.percent(80) ? model::LockWait::kQueue : model::LockWait::kFail});
  }
  if (!needs.locks.empty() || dice_.percent(30)) needs.patience_s = dice_.between(0, 300);
  return needs;
}

model::Spec Clients::draw_tree() {
  kinds::TestSpec spec{.steps = draw_steps(4), .concurrency = dice_.between(1, 4)};
  if (dice_.percent(20)) spec.needs.locks.push_back({fmt::format("lock{}", dice_.below(4))});
  spec.restarts_lost = dice_.percent(50);
  spec.on_stop = dice_.percent(60)   ? kinds::OnStop::kStop
                 : dice_.percent(50) ? kinds::OnStop::kDrain
                                     : kinds::OnStop::kAwait;
  if (dice_.percent(50)) spec.stop_patience_s = static_cast<double>(dice_.between(1, 120));
  if (dice_.percent(30)) spec.pause_s = static_cast<double>(dice_.between(1, 20));
  return kinds::spec_of(std::move(spec));
}

model::Spec Clients::draw_process() {
  kinds::ProcessSpec spec;
  spec.cpus = static_cast<double>(dice_.between(1, 20)) / 10;
  spec.mem = static_cast<double>(dice_.between(32, 512));
  spec.cmd = "true";
  if (dice_.percent(40)) spec.restart.policy = kinds::RestartPolicy::kOnFailure;
  if (dice_.percent(20)) spec.on_lost = kinds::OnLost::kRestart;
  if (dice_.percent(30)) spec.restart.active_deadline_s = dice_.between(10, 600);
  if (dice_.percent(20)) spec.restart.max_attempts = dice_.between(1, 4);
  if (dice_.percent(20)) spec.restart.backoff = {0.1 * static_cast<double>(dice_.below(50)), 60};
  if (dice_.percent(10)) spec.timeout_s = dice_.between(1, 600);
  if (dice_.percent(50)) spec.kill_grace_s = static_cast<double>(dice_.between(1, 60));
  if (dice_.percent(25)) {
    spec.locks.push_back({fmt::format("lock{}", dice_.below(4)),
                          dice_.percent(70) ? model::LockWait::kQueue : model::LockWait::kFail});
  }
  if (dice_.percent(8)) {
    spec.locks.push_back({fmt::format("lock{}", dice_.below(4)), model::LockWait::kQueue});
  }
  if (dice_.percent(3)) spec.cpus = 1000;  // fits nowhere
  if (dice_.percent(10)) {
    spec.constraints.push_back({"hostname", model::ConstraintOperator::kLike,
                                dice_.percent(70) ? "node[0-9]" : "node[2-9]"});  // here; nowhere
  }
  if (dice_.percent(5)) {  // runs fail while it is not there
    spec.secrets = {{"pw", "/" + secret_of(dice_.below(clients_.size()))}};
    spec.env = {{"PW", kinds::SecretRef{"pw"}}};
  }
  return kinds::spec_of(std::move(spec));
}

model::JobDefinition Clients::draw_job(const std::string& id) {
  model::JobDefinition job;
  job.id = id;
  job.labels = {{"mark", std::to_string(++last_mark_)}};
  if (!id.ends_with(kExclusive)) {
    for (std::uint64_t parents = dice_.percent(15) ? 1 + dice_.below(2) : 0; parents > 0; --parents)
      job.dependencies.push_back(dice_.pick(everybodys_));
  }
  job.spec = !id.ends_with(kExclusive) && dice_.percent(15) ? draw_tree() : draw_process();
  return job;
}

model::ScheduleDefinition Clients::draw_schedule(const std::string& job, const std::string& id) {
  static const std::vector<std::string> kCrons{"* * * * *",    "*/2 * * * *",  "*/5 * * * *",
                                               "*/15 * * * *", "7,37 * * * *", "0 * * * *",
                                               "30 1-3 * * *", "* 2 * * *",    "0 0 29 2 *"};
  static const std::vector<std::string> kZones{"UTC", "America/New_York", "Europe/Rome",
                                               "Australia/Lord_Howe", "Asia/Kathmandu"};
  model::ScheduleDefinition schedule{.id = id,
                                     .cron = Cron::parse(dice_.pick(kCrons)).value(),
                                     .zone = Zone::find(dice_.pick(kZones)).value()};
  schedule.starting_deadline_s = dice_.between(1, 60) * 100'000 + ++last_mark_;
  if (dice_.percent(50)) schedule.starting_deadline_s = ++last_mark_;
  schedule.enabled = dice_.percent(85);
  const std::uint64_t roll = dice_.below(100);
  schedule.policy = roll < 40   ? model::ConcurrencyPolicy::kForbid
                    : roll < 70 ? model::ConcurrencyPolicy::kAllow
                                : model::ConcurrencyPolicy::kReplace;
  if (job.ends_with(kExclusive)) schedule.policy = model::ConcurrencyPolicy::kForbid;
  const std::uint64_t missed = dice_.below(100);
  schedule.missed = missed < 60   ? model::MissedPolicy::kNone
                    : missed < 80 ? model::MissedPolicy::kLast
                                  : model::MissedPolicy::kAll;
  schedule.missed_limit = static_cast<std::uint32_t>(1 + dice_.below(5));
  return schedule;
}

std::vector<model::ScheduleDefinition> Clients::draw_schedules(const std::string& job) {
  std::vector<model::ScheduleDefinition> schedules;
  for (const char* id : kSchedules) {
    if (dice_.percent(30)) schedules.push_back(draw_schedule(job, id));
  }
  return schedules;
}

}  // namespace docket::sim
