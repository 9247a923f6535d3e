// The first half of an attempt's life: queue, claim, files, artifacts, command. See attempts.h.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "core/text.h"
#include "exec/runner/attempts.h"
#include "exec/runner/log_files.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/processes.h"

namespace docket::runner {

using engine::AttemptPhase;

namespace {

// In one turn: few enough that exits and new messages need not wait long.
constexpr std::size_t kStartsPerTurn = 32;

// While the disk is full: the time between two looks whether there is room again.
constexpr std::int64_t kRoomPauseNs = 500'000'000;

}  // namespace

void Attempts::start_queued() {
  for (std::size_t count = 0; !queue_.empty() && count < kStartsPerTurn; ++count) {
    if (monotonic_ns() < queue_from_ns_) return;
    const TaskId token = queue_.front();
    queue_.pop_front();
    launch(*live(token));
  }
}

void Attempts::launch(Attempt& attempt) {
  const auto prepared = prepare(attempt);
  if (!attempt.sandbox.record && root_.has_record(attempt.token)) return take_up_again(attempt);
  if (!prepared && prepared.error().kind == ErrorKind::kExhausted && !attempt.stop_asked) {
    return wait_for_room(attempt, prepared.error().message);
  }
  if (prepared && std::exchange(queue_from_ns_, 0) != 0) note_("there is room on the disk again");
  if (attempt.stop_asked) {
    attempt.report.signal = SIGTERM;
    fail_attempt(attempt, "Stopped before the command was started", 0);
  } else if (!prepared) {
    fail_attempt(attempt, prepared.error().message, 126);
  } else if (attempt.spec.artifacts.empty()) {
    run(attempt);
  } else {
    fetch(attempt);
  }
}

// The token is known from an earlier runner. It may start now only if nothing ran; recall() may
// put an adopted attempt in its place.
void Attempts::take_up_again(Attempt& attempt) {
  const TaskId token = attempt.token;
  auto waiting = std::move(live_.extract(token).mapped());
  if (waiting->slot != nullptr) cgroups_.release(*std::exchange(waiting->slot, nullptr));
  const auto report = recall(token);
  if (report.phase != AttemptPhase::kUnknown) {
    tell_(report);
    if (waiting->stop_asked) stop(token, waiting->stop_grace);
    return;
  }
  Attempt& again = *live_.emplace(token, std::move(waiting)).first->second;
  if (root_.has_record(token)) {
    return fail_attempt(again, "cannot remove what was prepared by an earlier runner", 126);
  }
  queue_.push_front(token);
}

void Attempts::wait_for_room(Attempt& attempt, const std::string& why) {
  queue_.push_front(attempt.token);
  if (queue_from_ns_ == 0) note_(fmt::format("attempts wait for room on the disk: {}", why));
  queue_from_ns_ = monotonic_ns() + kRoomPauseNs;
}

// An earlier call may have come to any step and waited for room since. Success without a record:
// the token has one already.
Result<> Attempts::prepare(Attempt& attempt) {
  if (!attempt.sandbox.record) {
    if (auto checked = check(attempt); !checked) return checked;
    if (cgroups_.active() && attempt.slot == nullptr) {
      auto slot =
          cgroups_.take({attempt.spec.cpus, attempt.spec.mem_mib, config_.limits.processes});
      if (!slot) return fail(std::move(slot.error()));
      attempt.slot = *slot;
    }
    auto claimed = root_.claim(attempt.token, claim_lines(attempt));
    if (!claimed) return fail(std::move(claimed.error()));
    attempt.sandbox.record = std::move(*claimed);
    if (!attempt.sandbox.record) return {};
  }
  return root_.open(attempt.token, attempt.user, attempt.sandbox);
}

Result<> Attempts::check(Attempt& attempt) {
  if (live_.size() > config_.max_attempts) {
    return fail(
        ErrorKind::kUnavailable,
        fmt::format("the runner's limit of {} attempts at once is reached", config_.max_attempts));
  }
  auto user = users_.find(attempt.spec.user, wall_now());
  if (!user) return fail(std::move(user.error()));
  attempt.user = std::move(*user);
  attempt.secret_paths.clear();
  for (const SecretFile& file : attempt.spec.secret_files) {
    if (!is_inner_path(file.path)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("secret file outside of the working directory: {}", file.path));
    }
    attempt.secret_paths.push_back(file.path);
  }
  return {};
}

std::string Attempts::claim_lines(const Attempt& attempt) const {
  std::string lines =
      claim_line({boot_id_, attempt.spec.kill_grace, attempt.spec.disk_mib, attempt.spec.mem_mib,
                  attempt.slot == nullptr ? "" : attempt.slot->name()});
  for (const std::string& path : attempt.secret_paths) lines += secret_line(path);
  return lines;
}

void Attempts::fetch(Attempt& attempt) {
  Launched launched =
      launcher_.fetch(attempt.spec, attempt.user, work_path(config_.dir, attempt.token),
                      attempt.sandbox, attempt.slot);
  if (launched.pid < 0) {
    fail_attempt(attempt, std::move(launched.message), launched.exit_code);
    return;
  }
  attempt.stage = Stage::kFetching;
  attempt.pid = launched.pid;
  attempt.group = launched.pid;
  attempt.fetch_result = std::move(launched.result);
  by_pid_.emplace(launched.pid, &attempt);
  tell_(attempt.report);
}

void Attempts::run(Attempt& attempt) {
  for (const SecretFile& file : attempt.spec.secret_files) {
    if (auto written = write_secret(attempt.sandbox.work.get(), file, attempt.user); !written) {
      fail_attempt(attempt, written.error().message, 126);
      return;
    }
  }
  StartRecord start;
  start.boot_ns_from = boot_clock_ns();
  Launched launched =
      launcher_.run(attempt.spec, attempt.user, work_path(config_.dir, attempt.token),
                    attempt.sandbox, attempt.slot);
  if (launched.pid < 0) {
    fail_attempt(attempt, std::move(launched.message), launched.exit_code);
    return;
  }
  start.boot_ns_to = boot_clock_ns();
  start.pid = launched.pid;
  start.at = wall_now();
  running(attempt, start);
}

void Attempts::running(Attempt& attempt, const StartRecord& start) {
  // If this write is lost with the runner, the process is known by the pid that it wrote itself.
  if (!append_lines(attempt.sandbox.record, start_line(start))) {
    note_(fmt::format("attempt {}: cannot record its start: {}", attempt.token.value,
                      errno_text(errno)));
  }
  attempt.stage = Stage::kRunning;
  attempt.pid = start.pid;
  attempt.group = start.pid;
  by_pid_.emplace(start.pid, &attempt);
  attempt.spec.env.clear();
  attempt.spec.secret_files.clear();
  attempt.sandbox.out.reset();
  attempt.sandbox.err.reset();
  attempt.sandbox.work.reset();
  attempt.report.phase = AttemptPhase::kRunning;
  attempt.report.started_at = start.at;
  if (!attempt.forgotten) tell_(attempt.report);
}

}  // namespace docket::runner
