#include "exec/runner/runner.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <unordered_map>

#include "exec/runner/attempts.h"
#include "exec/runner/clients.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/processes.h"

namespace docket::runner {
namespace {

// A log on a full disk loses lines, and nothing more.
void note(const std::string& line) {
  const std::string text = fmt::format("runner: {}\n", line);
  (void)!::write(STDERR_FILENO, text.data(), text.size());
}

// Signal state is inherited by every child, so the runner begins with a clean one and keeps it
// clean: it has no handlers (signals come through a descriptor, writes use MSG_NOSIGNAL) and
// children need not reset anything.
sigset_t take_signals() {
  // By system call: libc keeps two signals to itself, which a parent may have left ignored all the
  // same.
  constexpr char kDefault[64] = {};  // a zeroed kernel sigaction
  for (int number = 1; number < NSIG; ++number) {
    ::syscall(SYS_rt_sigaction, number, kDefault, nullptr, std::size_t{8});
  }
  sigset_t handled;
  sigemptyset(&handled);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) sigaddset(&handled, number);
  ::sigprocmask(SIG_SETMASK, &handled, nullptr);
  return handled;
}

// Descriptors 0 to 2 must be taken before anything else is opened: children get /dev/null as 0, and
// spawn.cc places files on 1 to 3.
Result<> take_standard_files() {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return fail_errno("cannot open /dev/null", errno);
  ::dup2(null, 0);
  for (const int fd : {1, 2}) {
    if (::fcntl(fd, F_GETFD) < 0) ::dup2(null, fd);
  }
  if (null > 2) ::close(null);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  // Place 3 is where a downloader finds its cache; nothing of ours may sit there.
  if (::fcntl(3, F_GETFD) < 0) ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  return {};
}

bool holder_lives(int lock) {
  char text[24] = {};
  (void)!::pread(lock, text, sizeof text - 1, 0);
  const auto stat = process_stat(std::atoi(text));
  return stat && stat->state != 'Z' && stat->state != 'X';
}

// A runner that was killed while it started a command leaves the lock to the child that has yet to
// call exec. Only after that do the records tell what runs, so the lock is waited for.
bool take_lock(int lock) {
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) return true;
  return !holder_lives(lock) && ::flock(lock, LOCK_EX) == 0;
}

constexpr Duration kForFirstClient = std::chrono::seconds{30};  // however slow the machine
constexpr int kIdleLookMs = 1000;  // between two checks whether the first client may still come

class Runner {
 public:
  explicit Runner(RunnerConfig config) : config_(std::move(config)) {}
  Result<> prepare();
  void serve();

 private:
  Result<> lock_directory();
  Result<> watch_signals();
  void watch(int fd, std::uint32_t events);
  void dispatch(const epoll_event& event);
  void on_signal();
  void on_message(int client, wire::Message message);
  void greet(int client, const wire::Hello& hello);
  bool should_end();
  bool directory_is_gone() const;
  int wait_ms() const;

  RunnerConfig config_;
  OwnedFd lock_;
  OwnedFd epoll_;
  OwnedFd signals_;
  std::optional<Attempts> attempts_;
  std::optional<Clients> clients_;
  std::unordered_map<int, TaskId> adopted_;  // by pidfd
  std::optional<std::int64_t> idle_since_ns_;
  bool had_client_ = false;
  bool ending_ = false;
};

// The directory is made before the runner is started: if it is gone now, it was moved or
// unmounted.
Result<> Runner::lock_directory() {
  std::error_code error;
  config_.dir = std::filesystem::canonical(config_.dir, error);
  if (error)
    return fail(ErrorKind::kInternal,
                fmt::format("cannot use {}: {}", config_.dir.string(), error.message()));
  const std::string path = config_.dir / "runner.lock";
  lock_ = OwnedFd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return fail_errno(fmt::format("cannot open {}", path), errno);
  if (!take_lock(lock_.get())) {
    return fail(ErrorKind::kConflict, fmt::format("another runner has {}", config_.dir.string()));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());  // for people who look
  if (::ftruncate(lock_.get(), 0) != 0 || ::pwrite(lock_.get(), pid.data(), pid.size(), 0) < 0) {
    return fail_errno(fmt::format("cannot write {}", path), errno);
  }
  return {};
}

Result<> Runner::watch_signals() {
  const sigset_t handled = take_signals();
  epoll_ = OwnedFd(::epoll_create1(EPOLL_CLOEXEC));
  signals_ = OwnedFd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!epoll_ || !signals_) return fail_errno("cannot watch signals", errno);
  watch(signals_.get(), EPOLLIN);
  return {};
}

void Runner::watch(int fd, std::uint32_t events) {
  epoll_event event{events, {.fd = fd}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

Result<> Runner::prepare() {
  if (auto done = take_standard_files(); !done) return done;
  if (auto done = lock_directory(); !done) return done;
  ::umask(022);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_DUMPABLE, 0);  // a core file would hold secrets
  if (auto done = watch_signals(); !done) return done;
  attempts_.emplace(
      config_, [this](const engine::AttemptReport& report) { clients_->broadcast(report); },
      [this](int pidfd, TaskId token) {
        adopted_[pidfd] = token;
        watch(pidfd, EPOLLIN | EPOLLONESHOT);
      },
      note);
  note(attempts_->limits_status());
  clients_.emplace(
      config_, epoll_.get(),
      [this](int client, wire::Message message) { on_message(client, std::move(message)); }, note);
  return clients_->listen();
}

void Runner::serve() {
  std::array<epoll_event, 64> events;
  while (!should_end()) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), wait_ms());
    for (int i = 0; i < count; ++i) dispatch(events[static_cast<std::size_t>(i)]);
    attempts_->on_turn();
    clients_->flush();
  }
}

int Runner::wait_ms() const {
  constexpr std::int64_t kMsNs = 1'000'000;
  const auto next = attempts_->next_turn_ns();
  if (next) return static_cast<int>((*next + kMsNs - 1) / kMsNs);
  if (!clients_->none()) return -1;
  return kIdleLookMs;
}

void Runner::dispatch(const epoll_event& event) {
  const int fd = event.data.fd;
  if (fd == signals_.get()) {
    on_signal();
  } else if (clients_->owns(fd)) {
    clients_->on_ready(fd, event.events);
  } else if (const auto found = adopted_.find(fd); found != adopted_.end()) {
    const TaskId token = found->second;
    adopted_.erase(found);
    attempts_->adopted_ended(token);
  }
}

void Runner::on_signal() {
  signalfd_siginfo info{};
  bool children = false;
  while (::read(signals_.get(), &info, sizeof info) == ssize_t{sizeof info}) {
    children = children || info.ssi_signo == SIGCHLD;
    ending_ = ending_ || info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT;
  }
  if (children) attempts_->reap();
}

void Runner::greet(int client, const wire::Hello& hello) {
  wire::append(clients_->output(client), wire::Hello{wire::kVersion, attempts_->limits_status()});
  if (hello.version == wire::kVersion) return;
  note(fmt::format("a client speaks version {} of the protocol, this runner {}", hello.version,
                   wire::kVersion));
}

void Runner::on_message(int client, wire::Message message) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) {
    greet(client, *hello);
  } else if (auto* start = std::get_if<wire::Start>(&message)) {
    attempts_->start(start->token, std::move(start->spec));
  } else if (const auto* stop = std::get_if<wire::Stop>(&message)) {
    attempts_->stop(stop->token, stop->grace);
  } else if (const auto* forget = std::get_if<wire::Forget>(&message)) {
    for (const TaskId token : forget->tokens) attempts_->forget(token);
  } else if (const auto* find = std::get_if<wire::Find>(&message)) {
    wire::Found found{find->request, {}};
    for (const TaskId token : find->tokens) found.reports.push_back(attempts_->find(token));
    wire::append(clients_->output(client), found);
  }
}

bool Runner::directory_is_gone() const {
  struct stat lock{};
  return ::fstat(lock_.get(), &lock) == 0 && lock.st_nlink == 0;
}

// Ended attempts are on disk. So only live attempts and connected clients keep the runner, and the
// first client, which started it and is on the way.
bool Runner::should_end() {
  if (ending_) return true;
  if (!attempts_->idle() || !clients_->none()) {
    idle_since_ns_.reset();
    had_client_ = had_client_ || !clients_->none();
    return false;
  }
  if (had_client_ || directory_is_gone()) return true;
  const std::int64_t now = monotonic_ns();
  if (!idle_since_ns_) idle_since_ns_ = now;
  return now - *idle_since_ns_ >= to_ns(kForFirstClient);
}

}  // namespace

int run_runner(const RunnerConfig& config) {
  Runner runner(config);
  if (auto ready = runner.prepare(); !ready) {
    note(ready.error().message);
    return 1;
  }
  runner.serve();
  return 0;
}

}  // namespace docket::runner
