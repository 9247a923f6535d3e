#pragma once

// A temporary runner directory with an executor on it, and waiting for what real processes do: with
// deadlines, on events where there are some, never for a fixed time.

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exec/runner/launch.h"
#include "exec/runner/runner_executor.h"

namespace docket::runner::testing {

// One system call of the harness's first runner fails; later runners have no fault. Made by
// strace, so that the kernel's own answer is what changes.
struct Fault {
  std::string call;   // "write"
  std::string error;  // "ENOSPC"
  int number = 1;     // of the calls of that name, from 1
};

struct Conditions {
  std::optional<Fault> fault = {};
  std::string disk = {};  // "1m": the runner's directory is a file system of that size (for root)
};

class Harness : public engine::ExecutorListener {
 public:
  // options: words for runner_main, e.g. "cgroups=0".
  explicit Harness(std::vector<std::string> options = {}, Conditions conditions = {});
  ~Harness() override;

  RunnerExecutor& executor() { return *executor_; }
  const std::filesystem::path& dir() const { return dir_; }

  // The server dies without warning and comes back.
  void drop_server();
  void start_server();
  void set_epoch(std::uint64_t epoch) { epoch_ = epoch; }  // the next server has the one after it
  pid_t runner_pid() const;
  void kill_runner();

  TaskId start(LaunchSpec spec);
  // cmd through the shell.
  TaskId start(const std::string& cmd);
  engine::AttemptReport wait(TaskId token,
                             engine::AttemptPhase phase = engine::AttemptPhase::kExited);
  engine::AttemptReport run(LaunchSpec spec) { return wait(start(std::move(spec))); }
  engine::AttemptReport run(const std::string& cmd) { return wait(start(cmd)); }
  engine::AttemptReport find(TaskId token);
  // Runs the io_context until it holds; false after 30 s.
  bool until(const std::function<bool()>& holds);

  // Whether the fault has happened.
  bool fault_struck() const;

  std::string out(TaskId token) const;
  std::string err(TaskId token) const;
  // Waits for a whole line on stdout and returns it.
  std::string first_line(TaskId token);

  int seen(TaskId token, engine::AttemptPhase phase) const;
  void on_attempt(const engine::AttemptReport& report) override;

 private:
  std::filesystem::path dir_;
  std::vector<std::string> options_;
  Conditions conditions_;
  std::unique_ptr<boost::asio::io_context> io_;
  std::unique_ptr<RunnerExecutor> executor_;
  std::uint64_t next_token_ = 1000;
  std::uint64_t epoch_ = 0;
  std::map<TaskId, std::vector<engine::AttemptReport>> reports_;
};

LaunchSpec shell(const std::string& cmd);
bool runs(pid_t pid);  // false for zombies
std::string slurp(const std::filesystem::path& file);

}  // namespace docket::runner::testing
