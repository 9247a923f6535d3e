#pragma once

// A command run in the foreground of this terminal, in its own process group, so that all of it can
// be asked to end. Signals that would end this program go to the command instead. One at a time,
// because signals belong to the whole process.

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace docket::cli {

struct ChildEnd {
  int exit_code = 0;  // when signal is 0
  int signal = 0;
};

struct ChildCommand {
  std::vector<std::string> words;
  std::vector<std::string> more_environment;  // NAME=value
  // If set, stdout and stderr come through a pipe each, and are passed on after this has seen them.
  std::function<void(int stream, std::string_view piece)> look = {};
  long grace_ms = 10'000;  // from the request to end to the kill
};

class ChildProcess {
 public:
  ChildProcess();
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Blocks until the command has ended. kNotFound, kDenied: it could not be started.
  Result<ChildEnd> run(const ChildCommand& command);
  // Asks the command to end, and kills it after the grace period; from any thread.
  void stop();

 private:
  struct Pipe {
    int from = -1;
    int to = -1;  // our stream, to which it is passed on
  };
  Result<> spawn(const ChildCommand& command);
  void give_terminal(pid_t group) const;
  void handle_signals();
  void reap();
  void stopped_by_terminal();
  void pump(Pipe& pipe, const ChildCommand& command, bool all);
  int next_timeout() const;
  void kill_when_due();

  int signals_ = -1;  // signalfd
  int wake_ = -1;     // eventfd: stop() was called
  pid_t child_ = 0;
  bool has_terminal_ = false;
  bool ended_ = false;
  ChildEnd end_;
  long kill_at_ms_ = -1;  // of the steady clock; -1: not to be killed
  long grace_ms_ = 0;
  Pipe out_, err_;
};

}  // namespace docket::cli
