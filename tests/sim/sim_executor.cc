#include "sim/sim_executor.h"

#include <utility>

namespace docket::sim {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kTerm = 15;
constexpr int kKill = 9;

bool over(const AttemptReport& report) {
  return report.phase == AttemptPhase::kExited || report.phase == AttemptPhase::kLost;
}

}  // namespace

// ---- orders

void SimExecutor::send(std::function<void()> carry_out) {
  Duration arrival = timeline_.now() + delay();
  if (!inbox_.empty()) arrival = std::max(arrival, inbox_.back().at);
  inbox_.push_back({arrival, std::move(carry_out)});
  timeline_.at(arrival, [this] { deliver(); });
}

void SimExecutor::deliver() {
  if (timeline_.now() < down_until_) return;
  while (!inbox_.empty() && inbox_.front().at <= timeline_.now()) {
    const auto carry_out = std::move(inbox_.front().carry_out);
    inbox_.pop_front();
    carry_out();
  }
}

void SimExecutor::start(TaskId token, const engine::LaunchSpec& spec) {
  rules_.ordered(token, spec);
  send([this, token, spec] { accept(token, spec); });
}

void SimExecutor::stop(TaskId token, std::optional<Duration> grace) {
  send([this, token, grace] { ask_to_end(token, grace); });
}

void SimExecutor::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) rules_.forgotten(token);
  send([this, tokens] {
    for (const TaskId token : tokens) {
      const auto it = processes_.find(token);
      if (it != processes_.end() && over(it->second.report)) processes_.erase(it);
    }
  });
}

void SimExecutor::find(std::vector<TaskId> tokens,
                       std::function<void(Result<std::vector<AttemptReport>>)> done) {
  send([this, tokens = std::move(tokens), done = std::move(done)] {
    std::vector<AttemptReport> reports;
    for (const TaskId token : tokens) {
      const auto it = processes_.find(token);
      AttemptReport unknown;
      unknown.token = token;
      reports.push_back(it == processes_.end() ? unknown : it->second.report);
    }
    last_out_ = std::max(last_out_, timeline_.now() + delay());
    timeline_.at_server(last_out_, [done, reports] { done(reports); });
  });
}

void SimExecutor::server_died() {
  const std::size_t arrive = inbox_.empty() ? 0 : dice_.below(inbox_.size() + 1);
  inbox_.resize(arrive);
  // What is on its way arrives before anything that a next server says.
  for (Order& order : inbox_) order.at = std::min(order.at, timeline_.now());
  deliver();
}

// ---- processes

void SimExecutor::accept(TaskId token, const engine::LaunchSpec& spec) {
  if (processes_.contains(token) && !habits.starts_twice) return;
  rules_.accepted(token);
  Process& process = processes_[token];
  process.spec = spec;
  process.report.token = token;
  process.report.phase = AttemptPhase::kStarting;
  verdict_.tell("accept", token.value);
  timeline_.at(timeline_.now() + dice_.spread(milliseconds{1}, seconds{3}),
               [this, token] { spawn(token); });
  if (habits.starts_twice && dice_.one_in(20)) accept(token, spec);
}

void SimExecutor::spawn(TaskId token) {
  const auto it = processes_.find(token);
  if (it == processes_.end() || it->second.report.phase != AttemptPhase::kStarting) return;
  Process& process = it->second;
  if (dice_.percent(habits.unstartable_percent)) {
    process.report.message = "command not found";
    return finish(process);
  }
  process.report.phase = AttemptPhase::kRunning;
  process.report.started_at = clock_.now();
  verdict_.tell("spawn", token.value);
  rules_.spawned(token);
  const Duration lasts =
      duration_ ? duration_(token) : dice_.spread(milliseconds{2}, habits.run_max);
  int code = dice_.percent(habits.fails_percent) ? 1 : 0;
  if (exit_code_) code = exit_code_().value_or(code);
  timeline_.at(timeline_.now() + lasts, [this, token, code] { exit(token, code, 0); });
  report(process.report);
}

void SimExecutor::exit(TaskId token, int code, int signal) {
  const auto it = processes_.find(token);
  if (it == processes_.end() || over(it->second.report)) return;
  it->second.report.exit_code = code;
  it->second.report.signal = signal;
  finish(it->second);
}

void SimExecutor::finish(Process& process) {
  AttemptReport& end = process.report;
  end.phase = AttemptPhase::kExited;
  end.finished_at = clock_.now();
  verdict_.tell("exit", end.token.value, end.exit_code, end.signal);
  rules_.ended(end.token, end.succeeded() ? End::kSucceeded : End::kFailed);
  report(end);
}

void SimExecutor::ask_to_end(TaskId token, std::optional<Duration> grace) {
  const auto it = processes_.find(token);
  if (it == processes_.end() || over(it->second.report)) return;
  if (it->second.report.phase == AttemptPhase::kStarting) return exit(token, 0, kTerm);
  const Duration patience = grace.value_or(it->second.spec.kill_grace);
  const bool obeys = dice_.percent(70);
  const Duration lasts = obeys ? dice_.between(Duration{100}, patience) : patience;
  const int signal = obeys ? kTerm : kKill;
  timeline_.at(timeline_.now() + lasts, [this, token, signal] { exit(token, 0, signal); });
}

// ---- reports

void SimExecutor::report(const AttemptReport& report) {
  if (timeline_.now() < down_until_) return;
  const int copies = dice_.percent(habits.repeats_percent) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    last_out_ = std::max(last_out_, timeline_.now() + delay());
    timeline_.at_server(last_out_, [this, report] {
      if (listener_) listener_->on_attempt(report);
    });
  }
}

void SimExecutor::machine_down(Duration until) {
  verdict_.tell("machine down", processes_.size());
  down_until_ = until;
  lose_all();
  timeline_.at(until, [this] {
    deliver();
    for (const auto& [token, process] : processes_) {
      if (over(process.report)) report(process.report);
    }
  });
}

void SimExecutor::lose_all() {
  for (auto& [token, process] : processes_) {
    if (over(process.report)) continue;
    process.report.phase = AttemptPhase::kLost;
    rules_.ended(token, End::kLost);
  }
}

}  // namespace docket::sim
