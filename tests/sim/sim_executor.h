#pragma once

// The server's side of the runner, like exec/runner/runner_executor.h: what was asked is sent
// again on a new connection until it is known to have arrived. Frames travel with delays and in
// order; reports repeat. A connection that breaks loses what had not quite arrived, either way. A
// server that dies loses everything but what is on its way.

#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "engine/executor.h"
#include "sim/sim_runner.h"

namespace docket::sim {

struct LinkHabits {
  Duration delay_max = std::chrono::milliseconds{20};  // of one frame
  std::uint64_t repeats_percent = 10;
  bool says_once = false;  // a mutation: nothing is sent again
};

class SimExecutor : public engine::Executor {
 public:
  SimExecutor(Timeline& timeline, SimClock& clock, const DiskHealth& disk, Dice dice,
              ProcessRules& rules, Verdict& verdict);

  void attach(engine::ExecutorListener* listener, std::uint64_t epoch) override;
  void start(TaskId token, const engine::PayloadPtr& payload) override;
  void stop(TaskId token, std::optional<Duration> grace) override;
  void forget(const std::vector<TaskId>& tokens) override;
  void find(std::vector<engine::AttemptQuery> attempts,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override;

  void server_died();
  void break_connection();
  // It comes back at that instant, if the machine is up.
  void runner_dies(Duration until);
  void machine_down(Duration until);
  bool idle() const { return rules_.live() == 0 && to_runner_.empty(); }

  SimRunner runner;
  LinkHabits habits;

 private:
  using Done = std::function<void(Result<std::vector<engine::AttemptReport>>)>;
  struct Live {
    std::optional<runner::LaunchSpec> unstarted;  // until a report says that it was started
    std::optional<std::optional<Duration>> stop;
  };
  struct Find {
    std::vector<TaskId> tokens;
    Done done;
  };
  struct Frame {
    Duration at;
    std::function<void()> arrive;
  };
  void connect_later();
  void connect();
  void resend_all();
  void say_orders_again();
  void come_back(Duration when);
  void disconnect();
  void send(std::function<void()> arrive);    // to the runner
  void answer(std::function<void()> arrive);  // to the server
  void deliver(std::uint64_t connection);
  void ask(std::optional<std::uint64_t> request, const std::vector<TaskId>& tokens);
  void report(const engine::AttemptReport& report);
  void refuse(TaskId token);
  void hear(const engine::AttemptReport& report);
  void hear_found(std::uint64_t request, const std::vector<engine::AttemptReport>& reports);
  Duration delay() { return dice_.spread(std::chrono::microseconds{50}, habits.delay_max); }

  Timeline& timeline_;
  Dice dice_;
  ProcessRules& rules_;
  Verdict& verdict_;
  engine::ExecutorListener* listener_ = nullptr;
  std::map<TaskId, Live> live_;
  std::map<std::uint64_t, Find> finds_;
  std::map<TaskId, std::optional<Duration>> blind_stops_;
  std::uint64_t last_request_ = 0;
  std::uint64_t connection_ = 0;  // rises with each, and with its end
  bool connected_ = false;
  std::deque<Frame> to_runner_;
  std::deque<Frame> to_server_;
  Duration down_until_{0};
};

}  // namespace docket::sim
