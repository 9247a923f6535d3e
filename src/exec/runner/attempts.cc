#include "exec/runner/attempts.h"

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>

#include "exec/runner/log_files.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/processes.h"
#include "exec/runner/reaper.h"

namespace docket::runner {

using engine::AttemptPhase;
using engine::AttemptReport;

namespace {

// The cgroup directory of a runner is named after its data directory, which tells it from those of
// other runners on the machine.
std::string cgroup_name(const std::filesystem::path& dir) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a
  for (const char c : dir.string()) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("docket-{:016x}", hash);
}

constexpr std::int64_t kTickNs = 10'000'000;  // resolution of a start time in /proc

// What the runner would have noted, from what the kernel knows.
StartRecord start_of(pid_t pid) {
  const auto stat = process_stat(pid);
  if (!stat) return {};
  const auto age = std::chrono::nanoseconds{boot_clock_ns() - stat->started_ns};
  return {pid, stat->started_ns, stat->started_ns,
          wall_now() - std::chrono::duration_cast<Duration>(age)};
}

// A zombie is not over while its reaper has yet to record how it ended.
bool is_over(const ProcessStat& stat) {
  if (stat.state != 'Z') return stat.state == 'X';
  const std::string parent = fmt::format("/proc/{}/comm", stat.parent);
  return read_small_file(AT_FDCWD, parent.c_str()) != fmt::format("{}\n", kReaperName);
}

bool same_process(const StartRecord& start) {
  if (start.pid <= 0) return false;
  const auto stat = process_stat(start.pid);
  return stat && !is_over(*stat) && stat->started_ns >= start.boot_ns_from - kTickNs &&
         stat->started_ns <= start.boot_ns_to;
}

}  // namespace

Attempts::Attempts(const RunnerConfig& config, Tell tell, Watch watch, Note note)
    : config_(config),
      tell_(std::move(tell)),
      watch_(std::move(watch)),
      note_(std::move(note)),
      root_(config.dir),
      cgroups_(config.cgroups, cgroup_name(config.dir),
               static_cast<std::uint64_t>(boot_clock_ns())),
      launcher_(config),
      boot_id_(boot_id()) {}

Attempts::~Attempts() = default;

Attempt* Attempts::live(TaskId token) {
  const auto found = live_.find(token);
  return found == live_.end() ? nullptr : found->second.get();
}

void Attempts::start(TaskId token, LaunchSpec spec) {
  if (const Attempt* known = live(token)) {
    tell_(known->report);
    return;
  }
  if (const auto kept = unrecorded_.find(token); kept != unrecorded_.end()) {
    return tell_(kept->second);
  }
  auto attempt = std::make_unique<Attempt>();
  attempt->token = token;
  attempt->spec = std::move(spec);
  attempt->report = {.token = token, .phase = AttemptPhase::kStarting};
  queue_.push_back(token);
  live_.emplace(token, std::move(attempt));
}

void Attempts::stop(TaskId token, std::optional<Duration> grace) {
  Attempt* attempt = live(token);
  if (attempt == nullptr) {
    recall(token);  // may adopt it
    attempt = live(token);
  }
  if (attempt == nullptr || attempt->stage == Stage::kDraining) return;
  const bool first = !std::exchange(attempt->stop_asked, true);
  if (attempt->stage == Stage::kQueued) {  // start_queued sees it
    attempt->stop_grace = grace;
    return;
  }
  if (attempt->stage == Stage::kFetching) {
    signal_all(*attempt, SIGKILL);
    return;
  }
  if (first) signal_all(*attempt, SIGTERM);
  const std::int64_t due =
      monotonic_ns() + to_ns(std::max(grace.value_or(attempt->spec.kill_grace), Duration{0}));
  if (attempt->kill_at_ns && *attempt->kill_at_ns <= due)
    return;  // a repeated stop may only shorten
  attempt->kill_at_ns = due;
  kills_.emplace(due, token);
}

void Attempts::forget(TaskId token) {
  // An ended attempt is on disk only. A live one must still be watched and cleaned up, but is no
  // longer reported.
  if (Attempt* attempt = live(token)) attempt->forgotten = true;
  unrecorded_.erase(token);
}

AttemptReport Attempts::find(TaskId token) {
  if (Attempt* attempt = live(token)) {
    attempt->forgotten = false;
    return attempt->report;
  }
  return recall(token);
}

AttemptReport Attempts::recall(TaskId token) {
  if (const auto kept = unrecorded_.find(token); kept != unrecorded_.end()) return kept->second;
  const auto text = root_.read_record(token);
  if (!text) return {.token = token, .phase = AttemptPhase::kUnknown};
  const AttemptRecord record = parse_record(token, *text);
  if (record.exit) return *record.exit;
  return recall_unfinished(token, record);
}

// Started by a runner that is gone: it still runs, or ended unseen, or never got to its exec.
AttemptReport Attempts::recall_unfinished(TaskId token, const AttemptRecord& record) {
  const bool this_boot = record.claim && record.claim->boot_id == boot_id_;
  if (this_boot && !record.spawned) {
    drop_preparations(token, record);
    return {.token = token, .phase = AttemptPhase::kUnknown};
  }
  if (this_boot && !record.end && !record.lost) {
    if (const Attempt* adopted = adopt(token, record)) return adopted->report;
    // If it ended since the record was read, the record now has its end.
    return conclude(token, parse_record(token, root_.read_record(token).value_or("")));
  }
  return conclude(token, record);
}

Attempt* Attempts::adopt(TaskId token, const AttemptRecord& record) {
  StartRecord start;
  if (record.start) {
    start = *record.start;
  } else if (leads_session_of(record.spawned_pid, work_path(config_.dir, token))) {
    start = start_of(record.spawned_pid);
  }
  if (!same_process(start)) return nullptr;
  OwnedFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, start.pid, 0)));
  // Checked again with the descriptor in hand: it now names this process for good.
  if (!pidfd || !same_process(start)) return nullptr;
  auto attempt = std::make_unique<Attempt>();
  attempt->token = token;
  attempt->stage = Stage::kRunning;
  attempt->adopted = true;
  attempt->pid = start.pid;
  attempt->group = start.pid;
  attempt->spec.kill_grace = record.claim->kill_grace;
  attempt->spec.disk_mib = record.claim->disk_mib;
  attempt->spec.mem_mib = record.claim->mem_mib;
  attempt->secret_paths = record.secret_paths;
  attempt->sandbox.record = root_.append_record(token);
  attempt->slot = cgroups_.adopt(record.claim->slot);
  attempt->pidfd = std::move(pidfd);
  attempt->report = {.token = token, .phase = AttemptPhase::kRunning, .started_at = start.at};
  watch_(attempt->pidfd.get(), token);
  note_(fmt::format("attempt {}: adopted process {}", token.value, start.pid));
  return live_.emplace(token, std::move(attempt)).first->second.get();
}

// At most a downloader ran, so the token may start: in an empty directory, as it would have found
// it, and with a claim of its own.
void Attempts::drop_preparations(TaskId token, const AttemptRecord& record) {
  kill_remains(token, record, slot_of(record));
  std::error_code ignored;
  std::filesystem::remove_all(work_path(config_.dir, token), ignored);
  std::filesystem::remove(record_path(config_.dir, token), ignored);
}

CgroupSlot* Attempts::slot_of(const AttemptRecord& record) {
  return record.claim ? cgroups_.adopt(record.claim->slot) : nullptr;
}

// A cgroup has them all, and none once it is gone. Without one all running processes are looked
// at, but not by the number of the main process, whose session and group may have been reused by
// now.
void Attempts::kill_remains(TaskId token, const AttemptRecord& record, CgroupSlot* slot) {
  if (slot != nullptr) {
    for (const pid_t pid : cgroups_.processes(*slot)) ::kill(pid, SIGKILL);
    cgroups_.release(*slot);
  }
  if (record.claim && !record.claim->slot.empty()) return;
  const auto work = work_path(config_.dir, token);
  for (const pid_t pid : all_processes()) {
    if (came_from(pid, -1, work)) ::kill(pid, SIGKILL);
  }
}

// It ended while no runner was there. Its reaper has left the outcome; without a reaper the
// attempt is lost.
AttemptReport Attempts::conclude(TaskId token, const AttemptRecord& record) {
  AttemptReport report{.token = token, .phase = AttemptPhase::kLost};
  if (record.start) report.started_at = record.start->at;
  if (!record.end) report.message = kOutcomeUnknown;
  if (record.lost) return report;
  CgroupSlot* const slot = slot_of(record);
  if (record.end) {
    report.phase = AttemptPhase::kExited;
    report.exit_code = record.end->exit_code;
    report.signal = record.end->signal;
    report.finished_at = record.end->at;
    explain_end(report, slot, record.claim ? record.claim->mem_mib : 0);
  }
  kill_remains(token, record, slot);
  const auto work = work_path(config_.dir, token);
  const OwnedFd folder(::open(work.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) remove_secrets(folder.get(), record.secret_paths);
  trim_logs(token);
  put_end(token, root_.append_record(token), report);
  return report;
}

void Attempts::on_turn() {
  const std::int64_t now = monotonic_ns();
  start_queued();
  drain();
  for (const TaskId token : std::exchange(unreaped_, {})) adopted_ended(token);
  kill_due(now);
  if (now >= sample_at_ns_) sample(now);
}

std::optional<std::int64_t> Attempts::next_turn_ns() const {
  constexpr std::int64_t kDrainPollNs = 10'000'000;
  const std::int64_t now = monotonic_ns();
  if (!queue_.empty() && queue_from_ns_ <= now) return 0;
  if (idle()) return std::nullopt;
  std::int64_t wait = std::max<std::int64_t>(sample_at_ns_ - now, 0);
  if (!queue_.empty()) wait = std::min(wait, queue_from_ns_ - now);
  if (!draining_.empty() || !unreaped_.empty()) wait = std::min(wait, kDrainPollNs);
  if (!kills_.empty())
    wait = std::min(wait, std::max<std::int64_t>(kills_.begin()->first - now, 0));
  return wait;
}

}  // namespace docket::runner
