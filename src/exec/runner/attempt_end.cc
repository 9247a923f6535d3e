// The second half of an attempt's life: limits, signals, the end, and what it left behind. See
// attempts.h.

#include <fmt/format.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/exit_words.h"
#include "exec/runner/attempts.h"
#include "exec/runner/log_files.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/processes.h"
#include "exec/runner/space_limits.h"

namespace docket::runner {

using engine::AttemptPhase;
using engine::AttemptReport;

namespace {

// A job of root may move its processes out of their cgroup. Looking for them costs more the more
// attempts are live, so with more than this many the runner does not.
constexpr std::size_t kLookForStrays = 1000;

void set_outcome(AttemptReport& report, int code, int status) {
  if (code == CLD_EXITED) {
    report.exit_code = status;
  } else {
    report.signal = status;
  }
}

std::string last_line(const AttemptReport& report) {
  return report.phase == AttemptPhase::kLost ? std::string(kLostLine) : exit_line(report);
}

// PIDFD_GET_INFO of Linux 6.15: the status of a process that was not our child, once its own
// parent has reaped it. Declared here since the headers of older distributions lack it.
struct PidfdInfo {
  __u64 mask = 1U << 3;  // PIDFD_INFO_EXIT
  __u64 cgroup_id = 0;
  __u32 ids[11] = {};
  __s32 exit_code = 0;
};
static_assert(sizeof(PidfdInfo) == 64);

struct AdoptedStatus {
  std::optional<int> wait_status;
  bool still_zombie = false;  // ended, but init has yet to reap it
};

AdoptedStatus status_of_adopted(int pidfd) {
  PidfdInfo info;
  constexpr unsigned kExit = 1U << 3;
  if (::ioctl(pidfd, _IOWR(0xFF, 11, PidfdInfo), &info) != 0) return {};  // an older kernel
  if ((info.mask & kExit) == 0) return {std::nullopt, true};
  return {info.exit_code, false};
}

}  // namespace

void Attempts::reap() {
  for (;;) {
    siginfo_t info{};
    // Looked at before it is reaped: until then neither its pid nor its group can belong to
    // somebody else.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    child_ended(info.si_pid, info.si_code, info.si_status);
  }
}

void Attempts::child_ended(pid_t pid, int code, int status) {
  const auto found = by_pid_.find(pid);
  Attempt* const attempt = found == by_pid_.end() ? nullptr : found->second;
  if (attempt == nullptr) {  // a reaper, or what an attempt left behind and we inherited
    launcher_.spawner().ended(pid);
    ::waitpid(pid, nullptr, 0);
    return;
  }
  by_pid_.erase(found);
  if (attempt->stage == Stage::kFetching) {
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    fetch_ended(*attempt, code, status);
    return;
  }
  set_outcome(attempt->report, code, status);
  main_ended(*attempt);
}

void Attempts::fetch_ended(Attempt& attempt, int code, int status) {
  attempt.pid = -1;
  if (attempt.stop_asked) {
    attempt.report.signal = SIGTERM;
    fail_attempt(attempt, "Stopped before the command was started", 0);
    return;
  }
  if (code == CLD_EXITED && status == 0) {
    run(attempt);
    return;
  }
  char text[4096];
  const ssize_t n = ::pread(attempt.fetch_result.get(), text, sizeof text, 0);
  std::string message(text, n > 0 ? static_cast<std::size_t>(n) : 0);
  if (message.empty()) {
    const bool exited = code == CLD_EXITED;
    message = "Failed to fetch artifacts: the downloader ended with " +
              words_of_exit(exited ? status : 0, exited ? 0 : status);
  }
  attempt.report.oom = attempt.slot != nullptr && cgroups_.oom_killed(*attempt.slot);
  fail_attempt(attempt, std::move(message), 1);
}

// Everything else of the attempt must go now.
void Attempts::main_ended(Attempt& attempt) {
  if (attempt.report.finished_at == kNever) attempt.report.finished_at = wall_now();
  explain_end(attempt.report, attempt.slot, attempt.spec.mem_mib);
  ::kill(-attempt.group, SIGKILL);
  if (!attempt.adopted) ::waitpid(attempt.pid, nullptr, 0);
  attempt.pid = -1;
  if (nothing_left(attempt)) {
    finish(attempt);
    return;
  }
  attempt.stage = Stage::kDraining;
  attempt.drain_until_ns = monotonic_ns() + to_ns(config_.drain_limit);
  draining_.push_back(attempt.token);
}

// Kills what is left. The group first: while a member of it dies, a child that left the group is
// not ours to see yet; it passes to us when its parent is gone. The number of a group is not given
// to a new process while the group has members.
bool Attempts::nothing_left(const Attempt& attempt) const {
  const bool members = ::kill(-attempt.group, attempt.slot == nullptr ? 0 : SIGKILL) == 0;
  const std::vector<pid_t> left = leftovers(attempt);
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  return left.empty() && !members;
}

void Attempts::explain_end(AttemptReport& report, const CgroupSlot* slot, double mem_mib) const {
  const bool clean = report.signal == 0 && report.exit_code == 0;
  if (clean || slot == nullptr || !cgroups_.oom_killed(*slot)) return;
  report.oom = true;
  if (report.message.empty()) {
    report.message = fmt::format("Memory limit of {} MiB exceeded", mem_mib);
  }
}

bool Attempts::is_ours(pid_t pid) const {
  return by_pid_.contains(pid) || launcher_.spawner().is_reaper(pid);
}

std::vector<pid_t> Attempts::leftovers(const Attempt& attempt) const {
  if (attempt.slot == nullptr) return stray(attempt);
  std::vector<pid_t> pids = cgroups_.processes(*attempt.slot);
  std::erase(pids, attempt.pid);
  if (attempt.user.uid != 0 || attempt.adopted || live_.size() > kLookForStrays) return pids;
  for (const pid_t pid : stray(attempt)) {
    if (std::ranges::find(pids, pid) != pids.end()) continue;
    note_(fmt::format("attempt {}: killing process {}, which has left the attempt's cgroup",
                      attempt.token.value, pid));
    pids.push_back(pid);
  }
  return pids;
}

// Found without a cgroup. Orphans come to us, the subreaper; those of an adopted attempt went to
// init.
std::vector<pid_t> Attempts::stray(const Attempt& attempt) const {
  std::vector<pid_t> pids;
  const auto work = work_path(config_.dir, attempt.token);
  for (const pid_t pid : attempt.adopted ? all_processes() : own_children()) {
    if (!is_ours(pid) && pid != attempt.pid && came_from(pid, attempt.group, work)) {
      pids.push_back(pid);
    }
  }
  return pids;
}

void Attempts::drain() {
  if (draining_.empty()) return;
  for (const TaskId token : std::exchange(draining_, {})) {
    Attempt& attempt = *live(token);
    const bool empty = nothing_left(attempt);
    if (!empty && monotonic_ns() < attempt.drain_until_ns) {
      draining_.push_back(token);
      continue;
    }
    if (!empty) note_(fmt::format("attempt {}: killed processes do not end", token.value));
    finish(attempt);
  }
}

// Its reaper is about to record how it ended. Where the reaper is gone too, the kernel may know.
void Attempts::adopted_ended(TaskId token) {
  Attempt* attempt = live(token);
  if (attempt == nullptr || !attempt->adopted || attempt->stage != Stage::kRunning) return;
  const auto end = parse_record(token, root_.read_record(token).value_or("")).end;
  const AdoptedStatus status = end ? AdoptedStatus{} : status_of_adopted(attempt->pidfd.get());
  if (!end && !status.wait_status && process_stat(attempt->pid)) {  // on_turn asks again
    unreaped_.push_back(token);
    return;
  }
  attempt->pidfd.reset();
  if (end) {
    attempt->report.exit_code = end->exit_code;
    attempt->report.signal = end->signal;
    attempt->report.finished_at = end->at;
  } else if (status.wait_status) {
    const int raw = *status.wait_status;
    set_outcome(attempt->report, WIFEXITED(raw) ? CLD_EXITED : CLD_KILLED,
                WIFEXITED(raw) ? WEXITSTATUS(raw) : WTERMSIG(raw));
  } else {
    attempt->report.phase = AttemptPhase::kLost;
    attempt->report.message = kOutcomeUnknown;
  }
  main_ended(*attempt);
}

void Attempts::signal_all(Attempt& attempt, int signal) {
  if (attempt.slot == nullptr) {
    if (attempt.pid > 0) ::kill(-attempt.group, signal);
    if (signal != SIGKILL) return;
  } else if (signal == SIGKILL && attempt.pid > 0) {
    ::kill(-attempt.group, signal);
  }
  const auto members =
      attempt.slot == nullptr ? leftovers(attempt) : cgroups_.processes(*attempt.slot);
  for (const pid_t pid : members) ::kill(pid, signal);
}

void Attempts::fail_attempt(Attempt& attempt, std::string message, int exit_code) {
  attempt.report.finished_at = wall_now();
  attempt.report.exit_code = exit_code;
  attempt.report.message = std::move(message);
  finish(attempt);
}

// Records the end first, then reports it to the server, then keeps nothing in memory.
void Attempts::finish(Attempt& attempt) {
  const TaskId token = attempt.token;
  AttemptReport& report = attempt.report;
  if (report.phase != AttemptPhase::kLost) report.phase = AttemptPhase::kExited;
  if (!attempt.sandbox.record) attempt.sandbox.record = root_.append_record(token);
  put_end(token, attempt.sandbox.record, report);
  if (!attempt.secret_paths.empty()) {
    const OwnedFd work(
        ::open(work_path(config_.dir, token).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (work) remove_secrets(work.get(), attempt.secret_paths);
  }
  trim_logs(token);
  if (attempt.slot != nullptr) cgroups_.release(*attempt.slot);
  if (!attempt.forgotten) tell_(report);
  live_.erase(token);
}

void Attempts::put_end(TaskId token, const OwnedFd& record, const AttemptReport& report) {
  if (append_lines(record, last_line(report))) return;
  note_(fmt::format("attempt {}: cannot record its end: {}", token.value, errno_text(errno)));
  unrecorded_.insert_or_assign(token, report);
}

void Attempts::write_ends_again() {
  std::erase_if(unrecorded_, [&](const auto& kept) {
    const auto& [token, report] = kept;
    return append_lines(root_.append_record(token), last_line(report));
  });
}

void Attempts::kill_due(std::int64_t now_ns) {
  while (!kills_.empty() && kills_.begin()->first <= now_ns) {
    const TaskId token = kills_.begin()->second;
    kills_.erase(kills_.begin());
    Attempt* attempt = live(token);
    if (attempt == nullptr || attempt->stage != Stage::kRunning || !attempt->kill_at_ns ||
        *attempt->kill_at_ns > now_ns) {
      continue;
    }
    signal_all(*attempt, SIGKILL);
  }
}

void Attempts::sample(std::int64_t now_ns) {
  sample_at_ns_ = now_ns + to_ns(config_.sample_interval);
  write_ends_again();
  for (const auto& [token, attempt] : live_) {
    if (attempt->stage != Stage::kRunning && attempt->stage != Stage::kFetching) continue;
    trim_logs(token);
    if (attempt->spec.disk_mib > 0) check_disk(*attempt);
  }
}

void Attempts::trim_logs(TaskId token) {
  const bool out_kept = trim_log(stdout_path(config_.dir, token), config_.log_bytes);
  const bool err_kept = trim_log(stderr_path(config_.dir, token), config_.log_bytes);
  if ((out_kept && err_kept) || std::exchange(told_no_holes_, true)) return;
  note_("this file system cannot punch holes: output files over the limit start again empty");
}

void Attempts::check_disk(Attempt& attempt) {
  const TaskId token = attempt.token;
  const std::uint64_t used =
      disk_usage({work_path(config_.dir, token), stdout_path(config_.dir, token),
                  stderr_path(config_.dir, token)},
                 config_.max_disk_entries);
  if (static_cast<double>(used) <= attempt.spec.disk_mib * 1024 * 1024) return;
  if (attempt.report.message.empty()) {
    attempt.report.message = fmt::format("Disk limit of {} MiB exceeded", attempt.spec.disk_mib);
  }
  signal_all(attempt, SIGKILL);
}

}  // namespace docket::runner
