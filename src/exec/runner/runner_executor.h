#pragma once

// The server's side of the runner: an Executor over DIR/runner.sock. It connects to a live runner
// or starts one (posix_spawn: the server itself never forks; one that dies again and again is
// started after ever longer pauses, see start_pace.h), connects again when the socket drops, and
// keeps what was asked until it is known to have arrived: starts until the runner reports that the
// token was started, stops until the attempt ends, finds until answered. A repeated start is
// harmless, so nothing is lost and nothing runs twice.
//
// Thread rule: every call, every listener call and every callback on the one thread that runs the
// io_context. Nothing is called back from within a call. Destroying it stops nothing: the runner
// and its attempts go on.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace boost::asio {
class io_context;
}

namespace docket::runner {

struct RunnerExecutorConfig {
  std::filesystem::path dir;  // made when missing; the runner's output goes to runner.log in it
  std::vector<std::string>
      runner_argv;  // e.g. {"/proc/self/exe", "runner", "--dir", DIR}; [0] is a path
  std::size_t max_frame_bytes = std::size_t{32} << 20;
  Duration retry_first =
      std::chrono::milliseconds{2};  // doubles up to retry_last while the runner is out of reach
  Duration retry_last = std::chrono::seconds{1};
  // Before a runner that has ended is started again; see StartPace.
  Duration start_first = std::chrono::milliseconds{50};
  Duration start_last = std::chrono::seconds{30};
};

struct RunnerStatus {
  bool connected = false;
  std::string limits;      // how cpus and mem are enforced, or why not, in the runner's words
  std::string last_error;  // of connecting or starting; empty while connected
};

class RunnerExecutor : public engine::Executor {
 public:
  // note: lines for the server's log. Connects at once; calls before that are kept.
  RunnerExecutor(boost::asio::io_context& io, RunnerExecutorConfig config,
                 std::function<void(const std::string&)> note);
  ~RunnerExecutor() override;
  RunnerExecutor(const RunnerExecutor&) = delete;
  RunnerExecutor& operator=(const RunnerExecutor&) = delete;

  void attach(engine::ExecutorListener* listener, std::uint64_t epoch) override;
  void start(TaskId token, const engine::PayloadPtr& payload) override;
  void stop(TaskId token, std::optional<Duration> grace) override;
  void forget(const std::vector<TaskId>& tokens) override;
  void find(std::vector<engine::AttemptQuery> attempts,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override;

  engine::Logs* logs() override;
  void sweep(engine::Archive& archive) override;

  RunnerStatus status() const;

 private:
  struct Impl;
  std::shared_ptr<Impl>
      impl_;  // shared with handlers in flight, which may come back after we are gone
};

}  // namespace docket::runner
