#include "sim/sim_executor.h"

#include <algorithm>
#include <utility>

namespace docket::sim {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool over(const AttemptReport& report) {
  return report.phase == AttemptPhase::kExited || report.phase == AttemptPhase::kLost;
}

}  // namespace

SimExecutor::SimExecutor(Timeline& timeline, SimClock& clock, const DiskHealth& disk, Dice dice,
                         ProcessRules& rules, Verdict& verdict)
    : runner(timeline, clock, disk, dice.fork(), rules, verdict,
             [this](const AttemptReport& told) { report(told); }),
      timeline_(timeline),
      dice_(dice),
      rules_(rules),
      verdict_(verdict) {}

// ---- the connection

void SimExecutor::attach(engine::ExecutorListener* listener, std::uint64_t) {
  listener_ = listener;
  if (listener) connect_later();
}

void SimExecutor::connect_later() {
  timeline_.at_server(timeline_.now() + dice_.spread(milliseconds{2}, seconds{1}),
                      [this] { connect(); });
}

void SimExecutor::connect() {
  if (connected_ || !listener_) return;
  if (!runner.up()) return connect_later();
  connected_ = true;
  ++connection_;
  verdict_.tell("connected", connection_);
  resend_all();
}

void SimExecutor::resend_all() {
  if (!habits.says_once) say_orders_again();
  for (const auto& [request, find] : finds_) ask(request, find.tokens);
}

void SimExecutor::say_orders_again() {
  std::vector<TaskId> unsure;
  for (const auto& [token, attempt] : live_) {
    if (!attempt.unstarted) unsure.push_back(token);
    if (attempt.unstarted)
      send([this, token, spec = *attempt.unstarted] { runner.start(token, spec); });
  }
  for (const auto& [token, attempt] : live_) {
    if (attempt.stop) send([this, token, grace = *attempt.stop] { runner.stop(token, grace); });
  }
  for (const auto& [token, grace] : std::exchange(blind_stops_, {}))
    send([this, token, grace] { runner.stop(token, grace); });
  if (!unsure.empty()) ask(std::nullopt, unsure);
}

// What had arrived is read before the end is noticed.
void SimExecutor::disconnect() {
  const auto arrives = [this](const std::deque<Frame>& frames) {
    return frames.empty() ? 0 : dice_.below(frames.size() + 1);
  };
  const std::size_t read = arrives(to_runner_);
  std::deque<Frame> taken = std::exchange(to_runner_, {});
  ++connection_;
  connected_ = false;
  if (runner.up()) {
    for (std::size_t i = 0; i < read; ++i) taken[i].arrive();
  }
  const std::size_t heard = arrives(to_server_);
  for (std::size_t i = 0; i < heard; ++i)
    timeline_.at_server(timeline_.now(), std::move(to_server_[i].arrive));
  to_server_.clear();
}

void SimExecutor::break_connection() {
  if (!connected_) return;
  verdict_.tell("connection breaks", connection_);
  disconnect();
  connect_later();
}

void SimExecutor::server_died() {
  to_server_.clear();
  disconnect();
  live_.clear();
  finds_.clear();
  blind_stops_.clear();
}

void SimExecutor::runner_dies(Duration until) {
  if (!runner.up()) return;
  disconnect();
  runner.die();
  come_back(until);
}

void SimExecutor::machine_down(Duration until) {
  disconnect();
  runner.machine_down();
  come_back(until);
}

void SimExecutor::come_back(Duration when) {
  down_until_ = std::max(down_until_, when);
  timeline_.at(down_until_, [this] {
    if (!runner.up() && timeline_.now() >= down_until_) runner.live();
  });
  if (listener_) connect_later();
}

// ---- frames

void SimExecutor::send(std::function<void()> arrive) {
  Duration arrival = timeline_.now() + delay();
  if (!to_runner_.empty()) arrival = std::max(arrival, to_runner_.back().at);
  to_runner_.push_back({arrival, std::move(arrive)});
  timeline_.at(arrival, [this, connection = connection_] { deliver(connection); });
}

void SimExecutor::deliver(std::uint64_t connection) {
  while (connection == connection_ && !to_runner_.empty() &&
         to_runner_.front().at <= timeline_.now()) {
    const auto arrive = std::move(to_runner_.front().arrive);
    to_runner_.pop_front();
    arrive();
  }
}

void SimExecutor::answer(std::function<void()> arrive) {
  if (!connected_) return;
  Duration arrival = timeline_.now() + delay();
  if (!to_server_.empty()) arrival = std::max(arrival, to_server_.back().at);
  to_server_.push_back({arrival, std::move(arrive)});
  timeline_.at_server(arrival, [this, connection = connection_] {
    if (connection != connection_ || to_server_.empty()) return;
    const auto heard = std::move(to_server_.front().arrive);
    to_server_.pop_front();
    heard();
  });
}

// ---- orders of the engine

void SimExecutor::start(TaskId token, const engine::PayloadPtr& payload) {
  const auto* told = engine::get_if<runner::LaunchSpec>(payload);
  if (!told) return refuse(token);
  const runner::LaunchSpec& spec = *told;
  rules_.ordered(token, spec);
  live_[token].unstarted = spec;
  if (connected_) send([this, token, spec] { runner.start(token, spec); });
}

void SimExecutor::refuse(TaskId token) {
  timeline_.at_server(timeline_.now(), [this, token] {
    hear({.token = token, .phase = AttemptPhase::kExited, .message = "this runs commands only"});
  });
}

void SimExecutor::stop(TaskId token, std::optional<Duration> grace) {
  const auto known = live_.find(token);
  if (known != live_.end()) known->second.stop = grace;
  if (connected_) {
    send([this, token, grace] { runner.stop(token, grace); });
  } else if (known == live_.end()) {
    blind_stops_[token] = grace;
  }
}

void SimExecutor::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) {
    rules_.forgotten(token);
    live_.erase(token);
  }
  if (connected_) send([this, tokens] { runner.forget(tokens); });
}

void SimExecutor::find(std::vector<engine::AttemptQuery> attempts, Done done) {
  std::vector<TaskId> tokens;
  for (const engine::AttemptQuery& each : attempts) tokens.push_back(each.token);
  const std::uint64_t request = ++last_request_;
  finds_[request] = {std::move(tokens), std::move(done)};
  if (connected_) ask(request, finds_[request].tokens);
}

// Without a request: the state of attempts that were reported on an earlier connection.
void SimExecutor::ask(std::optional<std::uint64_t> request, const std::vector<TaskId>& tokens) {
  send([this, request, tokens] {
    std::vector<AttemptReport> reports;
    for (const TaskId token : tokens) reports.push_back(runner.find(token));
    answer([this, request, reports] {
      if (request) return hear_found(*request, reports);
      for (AttemptReport report : reports) {
        if (report.phase == AttemptPhase::kUnknown) report.phase = AttemptPhase::kLost;
        hear(report);
      }
    });
  });
}

// ---- reports of the runner

void SimExecutor::report(const AttemptReport& report) {
  const int copies = dice_.percent(habits.repeats_percent) ? 2 : 1;
  for (int i = 0; i < copies; ++i) answer([this, report] { hear(report); });
}

void SimExecutor::hear(const AttemptReport& report) {
  const auto known = live_.find(report.token);
  if (known != live_.end() && report.phase != AttemptPhase::kStarting)
    known->second.unstarted.reset();
  if (known != live_.end() && over(report)) live_.erase(known);
  if (listener_) listener_->on_attempt(report);
}

void SimExecutor::hear_found(std::uint64_t request, const std::vector<AttemptReport>& reports) {
  auto pending = finds_.extract(request);
  if (pending.empty()) return;
  for (const AttemptReport& report : reports) {
    if (report.phase == AttemptPhase::kStarting || report.phase == AttemptPhase::kRunning)
      live_.try_emplace(report.token);
  }
  pending.mapped().done(reports);
}

}  // namespace docket::sim
