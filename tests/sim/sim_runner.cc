#include "sim/sim_runner.h"

#include <string>
#include <string_view>
#include <utility>

namespace docket::sim {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kTerm = 15;
constexpr int kKill = 9;

// Commands with a meaning; others end at some time, in some way.
constexpr std::string_view kExits = "exit ";
constexpr std::string_view kLasts = "exec sleep 1000";
int exit_code(const runner::LaunchSpec& spec) { return std::stoi(spec.cmd->substr(kExits.size())); }

}  // namespace

void SimRunner::later(Duration by, std::function<void()> work) {
  timeline_.at(timeline_.now() + by, [this, life = life_, work = std::move(work)] {
    if (life == life_) work();
  });
}

SimRunner::Attempt* SimRunner::find_in(TaskId token, Stage stage) {
  const auto found = attempts_.find(token);
  return found == attempts_.end() || found->second.stage != stage ? nullptr : &found->second;
}

void SimRunner::tell(const Attempt& attempt) {
  AttemptReport report = attempt.report;
  if (habits.misreports && dice_.one_in(20)) report.exit_code = 0;
  if (up_) report_(report);
}

// ---- messages from the server

void SimRunner::start(TaskId token, const runner::LaunchSpec& spec) {
  const auto [it, is_new] = attempts_.try_emplace(token);
  if (!is_new && !habits.starts_twice) return tell(it->second);  // the report was not received
  Attempt& attempt = it->second;
  attempt.spec = spec;
  attempt.stage = Stage::kWaiting;
  attempt.report = {.token = token, .phase = AttemptPhase::kStarting};
  verdict_.tell("accept", token.value);
  claim_soon(token);
  if (habits.starts_twice && dice_.one_in(20)) claim_soon(token);
}

void SimRunner::stop(TaskId token, std::optional<Duration> grace) {
  if (Attempt* waiting = find_in(token, Stage::kWaiting)) {
    waiting->report.signal = kTerm;
    return end(*waiting);
  }
  if (find_in(token, Stage::kClaimed)) return exit(token, 0, kTerm);
  const Attempt* running = find_in(token, Stage::kRunning);
  if (!running) return;
  const Duration patience = grace.value_or(running->spec.kill_grace);
  if (dice_.percent(70)) {  // the process obeys, whether or not the runner lives then
    timeline_.at(timeline_.now() + dice_.between(Duration{100}, patience),
                 [this, token] { exit(token, 0, kTerm); });
  } else {
    later(patience, [this, token] { exit(token, 0, kKill); });
  }
}

void SimRunner::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) {
    if (find_in(token, Stage::kOver)) attempts_.erase(token);
  }
}

AttemptReport SimRunner::find(TaskId token) const {
  const auto found = attempts_.find(token);
  return found == attempts_.end() ? AttemptReport{.token = token} : found->second.report;
}

// ---- an attempt

void SimRunner::claim_soon(TaskId token) {
  const Duration latency = dice_.spread(std::chrono::microseconds{20}, disk_.latency_max);
  later(latency, [this, token] { claim(token); });
}

// Recorded on disk, so that another runner does not start it again. Waits if there is no room.
void SimRunner::claim(TaskId token) {
  Attempt* attempt = find_in(token, Stage::kWaiting);
  if (!attempt && habits.starts_twice && attempts_.contains(token)) rules_.claimed(token);
  if (!attempt) return;
  if (disk_.full) return tell(*attempt);
  rules_.claimed(token);
  attempt->stage = Stage::kClaimed;
  attempt->written = true;
  later(dice_.spread(milliseconds{1}, seconds{3}), [this, token] { spawn(token); });
}

void SimRunner::spawn(TaskId token) {
  Attempt* attempt = find_in(token, Stage::kClaimed);
  if (!attempt) return;
  if (dice_.percent(habits.unstartable_percent)) {
    attempt->report.message = "command not found";
    return end(*attempt);
  }
  attempt->stage = Stage::kRunning;
  attempt->report.phase = AttemptPhase::kRunning;
  attempt->report.started_at = clock_.now();
  verdict_.tell("spawn", token.value);
  rules_.spawned(token);
  const Duration lasts = dice_.spread(milliseconds{2}, habits.run_max);
  const int drawn = dice_.percent(habits.fails_percent) ? 1 : 0;
  const std::string cmd = attempt->spec.cmd.value_or("");
  const int code = cmd.starts_with(kExits) ? exit_code(attempt->spec) : drawn;
  if (cmd != kLasts) {
    timeline_.at(timeline_.now() + lasts, [this, token, code] { exit(token, code, 0); });
  }
  tell(*attempt);
}

void SimRunner::exit(TaskId token, int code, int signal) {
  Attempt* attempt = find_in(token, Stage::kRunning);
  if (!attempt) attempt = find_in(token, Stage::kClaimed);
  if (!attempt) return;
  attempt->report.exit_code = code;
  attempt->report.signal = signal;
  end(*attempt);
}

// Its reaper records that, even without a runner. On a full disk most ends still fit, and the
// runner remembers the others.
void SimRunner::end(Attempt& attempt) {
  AttemptReport& end = attempt.report;
  attempt.stage = Stage::kOver;
  end.phase = AttemptPhase::kExited;
  end.finished_at = clock_.now();
  attempt.written = !disk_.full || !up_ || dice_.percent(70);
  verdict_.tell("exit", end.token.value, end.exit_code, end.signal);
  rules_.ended(end.token, end.succeeded() ? End::kSucceeded : End::kFailed);
  tell(attempt);
}

void SimRunner::lose(Attempt& attempt) {
  const TaskId token = attempt.report.token;
  attempt.stage = Stage::kOver;
  attempt.written = true;
  attempt.report = {.token = token, .phase = AttemptPhase::kLost};
  verdict_.tell("lost", token.value);
  rules_.lost(token);
}

// ---- lives and deaths

void SimRunner::die() {
  verdict_.tell("runner dies", attempts_.size());
  up_ = false;
  ++life_;
  std::erase_if(attempts_, [this](const auto& entry) {
    const bool runs = entry.second.stage == Stage::kRunning;
    return entry.second.stage == Stage::kWaiting || (runs && !entry.second.written) ||
           (runs && habits.forgets && dice_.percent(50));
  });
  const bool reapers_too = dice_.percent(15);
  for (auto& [token, attempt] : attempts_) {
    const bool unknown = attempt.stage == Stage::kOver && !attempt.written;
    const bool dead = attempt.stage == Stage::kRunning && reapers_too && dice_.percent(30);
    if (attempt.stage == Stage::kClaimed || unknown || dead) lose(attempt);
  }
}

void SimRunner::machine_down() {
  die();
  verdict_.tell("machine down", attempts_.size());
  for (auto& [token, attempt] : attempts_) {
    if (attempt.stage != Stage::kOver) lose(attempt);
  }
}

void SimRunner::live() {
  verdict_.tell("runner lives", attempts_.size());
  up_ = true;
}

void SimRunner::room() {
  for (auto& [token, attempt] : attempts_) {
    attempt.written = true;
    if (attempt.stage == Stage::kWaiting) claim_soon(token);
  }
}

}  // namespace docket::sim
