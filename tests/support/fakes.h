#pragma once

// Fakes of every port of the engine, all driven by hand: time moves when told to, posted work runs
// when told to, attempts end when told to. Nothing here has a thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "engine/engine.h"
#include "engine/ports.h"
#include "engine/store.h"
#include "exec/runner/launch.h"

namespace docket::testing {

class FakeClock : public Clock {
 public:
  explicit FakeClock(Time start) : now_(start) {}
  Time now() override { return now_; }
  ClockReading read() override { return {.wall = now_, .elapsed = elapsed_, .boot = boot_}; }
  // Time passes. Elapsed time never goes back: a clock that goes back was set.
  void set(Time now) {
    if (now > now_) elapsed_ += now - now_;
    now_ = now;
  }
  void step(Duration by) { now_ += by; }  // somebody sets it
  // The machine starts again; how long it was off is not known.
  void reboot(Duration away) {
    now_ += away;
    elapsed_ = Duration::zero();
    ++boot_;
  }

 private:
  Time now_;
  Duration elapsed_ = std::chrono::hours{1};
  std::uint64_t boot_ = 1;
};

// splitmix64: small, and the same everywhere.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

// Seals by reversing the text: enough to tell sealed from plain.
class FakeVault : public engine::Vault {
 public:
  std::string seal(const std::string&, const std::string& plain, Random&) override {
    return "sealed:" + std::string(plain.rbegin(), plain.rend());
  }
  Result<std::string> unseal(const std::string&, const std::string& sealed) const override {
    return std::string(sealed.rbegin(), sealed.rend() - 7);
  }
};

class FakeReactor : public engine::Reactor {
 public:
  void post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  void arm(Time when, std::function<void()> work) override {
    armed_ = when;
    timer_ = std::move(work);
  }
  // Runs everything posted, and what that posts.
  void run_ready() {
    while (!posted_.empty()) {
      const auto work = std::move(posted_.front());
      posted_.pop_front();
      work();
    }
  }
  Time armed() const { return timer_ ? armed_ : kNever; }
  void fire_timer() {
    if (const auto work = std::exchange(timer_, nullptr)) work();
  }

 private:
  std::deque<std::function<void()>> posted_;
  Time armed_ = kNever;
  std::function<void()> timer_;
};

// Commits to a store, on the reactor's next turn, as the writer thread would.
class FakeCommitter : public engine::Committer {
 public:
  FakeCommitter(engine::Store& store, FakeReactor& reactor) : store_(store), reactor_(reactor) {}
  void commit(std::shared_ptr<const engine::Batch> batch, Done done) override {
    ++commits;
    reactor_.post(
        [this, batch = std::move(batch), done = std::move(done)] { done(store_.commit(*batch)); });
  }
  int commits = 0;

 private:
  engine::Store& store_;
  FakeReactor& reactor_;
};

// Remembers what it was told, and knows every attempt that it was given until it is told to forget
// it. Outlives the engine, as the runner outlives the server.
class FakeExecutor : public engine::Executor {
 public:
  struct Attempt {
    engine::PayloadPtr payload;
    runner::LaunchSpec spec;  // if it is a process
    engine::AttemptReport report;
    int starts = 0;  // how often a process was really made: never more than one
  };

  void attach(engine::ExecutorListener* listener, std::uint64_t of) override {
    listener_ = listener;
    epoch = of;
  }
  engine::Logs* logs() override { return own_logs; }
  void start(TaskId token, const engine::PayloadPtr& payload) override {
    if (attempts.contains(token)) return;
    Attempt& attempt = attempts[token];
    attempt.payload = payload;
    if (const auto* spec = engine::get_if<runner::LaunchSpec>(payload)) attempt.spec = *spec;
    attempt.report.token = token;
    attempt.report.phase = engine::AttemptPhase::kStarting;
    ++attempt.starts;
    started.push_back(token);
  }
  void stop(TaskId token, std::optional<Duration>) override {
    if (attempts.contains(token)) stopped.push_back(token);
  }
  void forget(const std::vector<TaskId>& tokens) override {
    for (const TaskId token : tokens) {
      attempts.erase(token);
      forgotten.push_back(token);
    }
  }
  void find(std::vector<engine::AttemptQuery> sought,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override {
    std::vector<engine::AttemptReport> reports;
    for (const auto& [token, seq] : sought) {
      const auto it = attempts.find(token);
      reports.push_back(it == attempts.end() ? engine::AttemptReport{.token = token}
                                             : it->second.report);
    }
    done(std::move(reports));
  }

  void run(TaskId token, Time now) {
    auto& report = attempts.at(token).report;
    report.phase = engine::AttemptPhase::kRunning;
    report.started_at = now;
    tell(report);
  }
  void exit(TaskId token, int code, Time now, int signal = 0) {
    auto& report = attempts.at(token).report;
    if (report.started_at == kNever) report.started_at = now;
    report.phase = engine::AttemptPhase::kExited;
    report.exit_code = code;
    report.signal = signal;
    report.finished_at = now;
    tell(report);
  }
  // Something else to report about an attempt, with the next number or with an earlier one.
  void say(TaskId token, engine::AttemptReport news, std::optional<std::uint64_t> seq = {}) {
    auto& report = attempts.at(token).report;
    news.token = token;
    news.phase = report.phase;
    news.seq = report.seq = seq.value_or(report.seq + 1);
    tell(news);
  }
  void taken(TaskId token, std::uint64_t seq) override { taken_reports.emplace_back(token, seq); }
  void lose(TaskId token) {
    auto& report = attempts.at(token).report;
    report.phase = engine::AttemptPhase::kLost;
    tell(report);
  }

  std::map<TaskId, Attempt> attempts;
  std::vector<TaskId> started;
  std::vector<TaskId> stopped;
  std::vector<TaskId> forgotten;
  std::vector<std::pair<TaskId, std::uint64_t>> taken_reports;
  std::uint64_t epoch = 0;
  engine::Logs* own_logs = nullptr;

 private:
  void tell(const engine::AttemptReport& report) {
    const engine::AttemptReport copy = report;
    if (listener_) listener_->on_attempt(copy);
  }
  engine::ExecutorListener* listener_ = nullptr;
};

// Reads at once, on the caller's thread.
class FakeArchive : public engine::Archive {
 public:
  explicit FakeArchive(engine::Store& store) : reader_(store.open_reader().value()) {}
  void read(std::function<void(engine::Reader&)> work) override { work(*reader_); }

 private:
  std::unique_ptr<engine::Reader> reader_;
};

class FakeLogs : public engine::Logs {
 public:
  Result<engine::LogChunk> read(TaskId attempt, engine::LogStream stream, std::uint64_t offset,
                                std::size_t max_bytes) override {
    const auto it = text.find({attempt, stream});
    if (it == text.end()) return fail(ErrorKind::kNotFound, "no such log");
    const std::string& all = it->second;
    const std::size_t from = std::min<std::size_t>(offset, all.size());
    return engine::LogChunk{from, all.size(), all.substr(from, max_bytes)};
  }
  void when_grown(TaskId, engine::LogStream, std::uint64_t, std::function<void()> done) override {
    waiting.push_back(std::move(done));
  }
  void wake() {
    for (const auto& done : std::exchange(waiting, {})) done();
  }

  std::map<std::pair<TaskId, engine::LogStream>, std::string> text;
  std::vector<std::function<void()>> waiting;
};

}  // namespace docket::testing
