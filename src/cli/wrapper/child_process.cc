#include "cli/wrapper/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

namespace docket::cli {
namespace {

// The signals that ask a program to end, and the one that reports its children.
sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT}) sigaddset(&set, signal);
  return set;
}

// Not wall time: a clock step must not kill a command early.
long steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // the reader is gone: the command will notice by itself
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all(more);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& added : more) replaced = replaced || added.starts_with(name);
    if (!replaced) all.emplace_back(text);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

// As a shell starts a program: default signal handling, and a process group of its own.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    sigset_t defaults = handled_signals();
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void connect(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }
  int spawn(pid_t& child, std::vector<std::string> words, std::vector<std::string> environment) {
    const auto arguments = pointers(words);
    const auto variables = pointers(environment);
    return posix_spawnp(&child, arguments[0], &actions_, &attributes_, arguments.data(),
                        variables.data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Error cannot_start(const std::string& name, int error) {
  return {.kind = error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kDenied,
          .message = "cannot run " + name + ": " + std::strerror(error)};
}

}  // namespace

// The signals are blocked from here on, so that threads started later do not receive them.
ChildProcess::ChildProcess() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

ChildProcess::~ChildProcess() {
  for (int* fd : {&signals_, &wake_, &out_.from, &err_.from}) close_if_open(*fd);
}

void ChildProcess::stop() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

Result<> ChildProcess::spawn(const ChildCommand& command) {
  SpawnPlan plan;
  std::array<int, 2> theirs{-1, -1};
  for (int i = 0; command.look && i < 2; ++i) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(ErrorKind::kInternal, "no more pipes");
    Pipe& pipe = i == 0 ? out_ : err_;
    pipe.from = ends[0];
    pipe.to = i == 0 ? STDOUT_FILENO : STDERR_FILENO;
    ::fcntl(pipe.from, F_SETFL, O_NONBLOCK);
    theirs.at(static_cast<std::size_t>(i)) = ends[1];
    plan.connect(ends[1], pipe.to);
  }
  const int error = plan.spawn(child_, command.words, environment_with(command.more_environment));
  for (int& fd : theirs) close_if_open(fd);
  if (error != 0) return fail(cannot_start(command.words.front(), error));
  has_terminal_ = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
  give_terminal(child_);
  return {};
}

// Only a foreground group may read from the terminal and receives Ctrl-C. A background process that
// gives the terminal away is stopped by SIGTTOU, unless that is ignored.
void ChildProcess::give_terminal(pid_t group) const {
  if (!has_terminal_) return;
  const auto before = std::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(STDIN_FILENO, group);
  std::signal(SIGTTOU, before);
  if (group == child_) ::kill(-child_, SIGCONT);  // the child may have read first, and been stopped
}

Result<ChildEnd> ChildProcess::run(const ChildCommand& command) {
  grace_ms_ = command.grace_ms;
  if (auto spawned = spawn(command); !spawned) return fail(spawned.error());
  while (!ended_) {
    std::array<pollfd, 4> fds{{{signals_, POLLIN, 0},
                               {wake_, POLLIN, 0},
                               {out_.from, POLLIN, 0},
                               {err_.from, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), next_timeout());
    std::uint64_t stops = 0;
    const bool stop = ::read(wake_, &stops, sizeof stops) == static_cast<ssize_t>(sizeof stops);
    if (stop && kill_at_ms_ < 0) {
      kill_at_ms_ = steady_ms() + grace_ms_;
      ::kill(-child_, SIGTERM);
    }
    kill_when_due();
    if (fds[2].revents != 0) pump(out_, command, false);
    if (fds[3].revents != 0) pump(err_, command, false);
    handle_signals();
  }
  for (Pipe* pipe : {&out_, &err_}) pump(*pipe, command, true);
  give_terminal(::getpgrp());
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);  // from here on this program receives them again
  return end_;
}

int ChildProcess::next_timeout() const {
  if (kill_at_ms_ < 0) return -1;
  return static_cast<int>(std::max(0L, kill_at_ms_ - steady_ms()));
}

void ChildProcess::kill_when_due() {
  if (kill_at_ms_ < 0 || steady_ms() < kill_at_ms_) return;
  ::kill(-child_, SIGKILL);
  kill_at_ms_ = steady_ms() + 1000;  // repeated until it is gone
}

void ChildProcess::handle_signals() {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    const int signal = static_cast<int>(info.ssi_signo);
    signal == SIGCHLD ? reap() : void(::kill(-child_, signal));
  }
}

void ChildProcess::reap() {
  int status = 0;
  while (!ended_ && ::waitpid(child_, &status, WNOHANG | WUNTRACED) == child_) {
    if (WIFSTOPPED(status)) {
      stopped_by_terminal();
      continue;
    }
    ended_ = true;
    end_ = WIFSIGNALED(status) ? ChildEnd{.exit_code = 0, .signal = WTERMSIG(status)}
                               : ChildEnd{.exit_code = WEXITSTATUS(status), .signal = 0};
  }
}

// Ctrl-Z: this program stops with the command, as the shell expects, and continues with it. Its
// reports stop too; the lease decides how long that may last.
void ChildProcess::stopped_by_terminal() {
  if (!has_terminal_) return;
  give_terminal(::getpgrp());
  ::raise(SIGSTOP);
  give_terminal(child_);
}

// All: reads what is there, without waiting for the end of the pipe, which programs left behind by
// the command may hold open.
void ChildProcess::pump(Pipe& pipe, const ChildCommand& command, bool all) {
  std::array<char, 65536> piece{};
  while (pipe.from >= 0) {
    const ssize_t size = ::read(pipe.from, piece.data(), piece.size());
    if (size < 0 && errno == EINTR) continue;
    if (size == 0) close_if_open(pipe.from);
    if (size <= 0) return;
    const std::string_view text(piece.data(), static_cast<std::size_t>(size));
    write_all(pipe.to, text);
    command.look(pipe.to, text);
    if (!all) return;
  }
}

}  // namespace docket::cli
