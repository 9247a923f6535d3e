#pragma once

// Keeps a task of the server in step with work done here, on a thread of its own: creates the task,
// renews its lease, reports figures, learns of aborts, and ends it. A server that is away never
// delays the work: what could not be reported is reported again later, quietly.

#include <boost/json/value.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "cli/client/environment.h"
#include "cli/client/server_api.h"
#include "cli/wrapper/progress_pattern.h"
#include "core/result.h"

namespace docket::cli {

class TaskReporter {
 public:
  struct Plan {
    boost::json::value task;  // the body of POST /docket/v1/tasks, with a uuid
    std::string uuid;
    bool parent_is_a_guess = false;  // a refused parent is left out
    std::chrono::milliseconds renewal{10'000};
    std::function<void()> on_abort;  // on the reporter's thread, once
  };

  TaskReporter(ServerApi& server, Machine& machine, Plan plan)
      : server_(server), machine_(machine), plan_(std::move(plan)) {}
  ~TaskReporter();
  TaskReporter(const TaskReporter&) = delete;
  TaskReporter& operator=(const TaskReporter&) = delete;

  // Creates the task, and the thread. An error is the server's refusal; its absence is not an
  // error.
  Result<> start();
  void progress(const Figures& figures);
  // Ends the task, with an error or as done, and the thread. The error says what the server does
  // not know.
  Result<> finish(const std::string& error, std::chrono::milliseconds patience);
  // Whether finish() could not reach the server; go_on() then tries again, for `patience` longer.
  bool may_go_on() const { return away_; }
  Result<> go_on(std::chrono::milliseconds patience);

 private:
  using Millis = std::chrono::milliseconds;
  Result<> make();
  Result<> report(const std::optional<Figures>& figures);
  Result<> tell(const std::string& what, const boost::json::value& body);
  void run();
  void step(std::unique_lock<std::mutex>& lock);
  void hear(const boost::json::value& answer);
  Result<> tell_end();
  boost::json::value last_words() const;
  double seconds_since(Millis instant) const;
  Millis backoff_most() const;

  ServerApi& server_;
  Machine& machine_;
  Plan plan_;
  bool made_ = false;  // what follows belongs to the thread while it runs
  bool aborted_ = false;
  std::optional<Error> refused_;  // for good: nothing more is reported
  Millis began_{0};
  Millis ended_{0};
  std::string error_;
  bool doubtful_ = false;  // an answer was lost: the task may have ended by an earlier try
  bool away_ = false;
  Millis backoff_{0};
  Millis next_renewal_{0};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Figures> unsaid_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace docket::cli
