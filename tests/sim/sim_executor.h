#pragma once

// The machine that runs attempts. It outlives the server: orders travel to it and reports travel
// back with delays, reports repeat, and a server that dies takes the orders with it that it had not
// quite sent. Now and then the machine itself goes down, and what it ran is lost.

#include <deque>
#include <functional>
#include <map>

#include "engine/executor.h"
#include "sim/dice.h"
#include "sim/process_rules.h"
#include "sim/sim_clock.h"
#include "sim/timeline.h"

namespace docket::sim {

struct ExecutorHabits {
  Duration delay_max = std::chrono::milliseconds{20};  // of one message
  Duration run_max = std::chrono::minutes{10};
  std::uint64_t fails_percent = 20;
  std::uint64_t unstartable_percent = 3;
  std::uint64_t repeats_percent = 10;
  bool starts_twice = false;  // a mutation: two processes for one token
};

class SimExecutor : public engine::Executor {
 public:
  SimExecutor(Timeline& timeline, SimClock& clock, Dice dice, ProcessRules& rules, Verdict& verdict)
      : timeline_(timeline), clock_(clock), dice_(dice), rules_(rules), verdict_(verdict) {}

  void set_listener(engine::ExecutorListener* listener) override { listener_ = listener; }
  void start(TaskId token, const engine::LaunchSpec& spec) override;
  void stop(TaskId token, std::optional<Duration> grace) override;
  void forget(const std::vector<TaskId>& tokens) override;
  void find(std::vector<TaskId> tokens,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override;

  void server_died();                 // some orders under way arrive, the rest never will
  void machine_down(Duration until);  // all processes end, all results stay
  // How a command ends, where it matters: by default as the habits say.
  void plan_ends(std::function<std::optional<int>()> exit_code) {
    exit_code_ = std::move(exit_code);
  }
  void plan_durations(std::function<Duration(TaskId)> duration) { duration_ = std::move(duration); }
  bool idle() const { return rules_.live() == 0 && inbox_.empty(); }

  ExecutorHabits habits;

 private:
  struct Process {
    engine::LaunchSpec spec;
    engine::AttemptReport report;
  };
  struct Order {
    Duration at;
    std::function<void()> carry_out;
  };
  void send(std::function<void()> carry_out);
  void deliver();
  void accept(TaskId token, const engine::LaunchSpec& spec);
  void spawn(TaskId token);
  void exit(TaskId token, int code, int signal);
  void ask_to_end(TaskId token, std::optional<Duration> grace);
  void finish(Process& process);
  void report(const engine::AttemptReport& report);
  void lose_all();
  Duration delay() { return dice_.spread(std::chrono::microseconds{50}, habits.delay_max); }

  Timeline& timeline_;
  SimClock& clock_;
  Dice dice_;
  ProcessRules& rules_;
  Verdict& verdict_;
  engine::ExecutorListener* listener_ = nullptr;
  std::map<TaskId, Process> processes_;
  std::deque<Order> inbox_;  // in the order in which they were sent
  Duration last_out_{0};     // reports stay in order as well
  Duration down_until_{0};
  std::function<std::optional<int>()> exit_code_;
  std::function<Duration(TaskId)> duration_;
};

}  // namespace docket::sim
