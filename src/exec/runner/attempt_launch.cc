// The first half of an attempt's life: queue, claim, files, artifacts, command. See attempts.h.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "exec/runner/attempts.h"
#include "exec/runner/log_files.h"
#include "exec/runner/monotonic.h"
#include "exec/runner/processes.h"

namespace docket::runner {

using engine::AttemptPhase;

namespace {

// In one turn: few enough that exits and new messages need not wait long.
constexpr std::size_t kStartsPerTurn = 32;

bool append(const OwnedFd& record, std::string_view lines) {
  return ::write(record.get(), lines.data(), lines.size()) == std::ssize(lines);
}

}  // namespace

void Attempts::start_queued() {
  for (std::size_t count = 0; !queue_.empty() && count < kStartsPerTurn; ++count) {
    const TaskId token = queue_.front();
    queue_.pop_front();
    if (claim(*live(token))) launch(*live(token));
  }
}

// False: the attempt is not to be launched and is no longer live.
bool Attempts::claim(Attempt& attempt) {
  const TaskId token = attempt.token;
  auto claimed = root_.claim(token);
  if (!claimed) {
    fail_attempt(attempt, claimed.error().message, 126);
    return false;
  }
  if (*claimed) {
    attempt.sandbox.record = std::move(*claimed);
    return true;
  }
  // Known from before this runner. Only "nothing ran" lets it start now; recall may put an adopted
  // attempt in its place.
  auto waiting = std::move(live_.extract(token).mapped());
  const auto report = recall(token);
  if (report.phase != AttemptPhase::kUnknown) {
    tell_(report);
    if (waiting->stop_asked) stop(token, waiting->stop_grace);
    return false;
  }
  live_.emplace(token, std::move(waiting));
  return true;
}

void Attempts::launch(Attempt& attempt) {
  if (live_.size() > config_.max_attempts) {
    fail_attempt(
        attempt,
        fmt::format("the runner's limit of {} attempts at once is reached", config_.max_attempts),
        126);
    return;
  }
  if (auto prepared = prepare(attempt); !prepared) {
    fail_attempt(attempt, prepared.error().message, 126);
    return;
  }
  if (attempt.stop_asked) {
    attempt.report.signal = SIGTERM;
    fail_attempt(attempt, "Stopped before the command was started", 0);
  } else if (attempt.spec.artifacts.empty()) {
    run(attempt);
  } else {
    fetch(attempt);
  }
}

Result<> Attempts::prepare(Attempt& attempt) {
  auto user = users_.find(attempt.spec.user, wall_now());
  if (!user) return fail(std::move(user.error()));
  attempt.user = std::move(*user);
  for (const engine::SecretFile& file : attempt.spec.secret_files) {
    if (!is_inner_path(file.path)) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("secret file outside of the working directory: {}", file.path));
    }
    attempt.secret_paths.push_back(file.path);
  }
  if (auto made = root_.open(attempt.token, attempt.user, attempt.sandbox); !made) return made;
  if (cgroups_.active()) {
    auto slot = cgroups_.take({attempt.spec.cpus, attempt.spec.mem_mib});
    if (!slot) return fail(std::move(slot.error()));
    attempt.slot = *slot;
  }
  std::string lines =
      claim_line({boot_id_, attempt.spec.kill_grace, attempt.spec.disk_mib, attempt.spec.mem_mib,
                  attempt.slot == nullptr ? "" : attempt.slot->name()});
  for (const std::string& path : attempt.secret_paths) lines += secret_line(path);
  if (!append(attempt.sandbox.record, lines)) {
    return fail_errno("can not write the attempt's record", errno);
  }
  return {};
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
  for (const engine::SecretFile& file : attempt.spec.secret_files) {
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
  if (!append(attempt.sandbox.record, start_line(start))) {
    note_(fmt::format("attempt {}: can not record its start: {}", attempt.token.value,
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
