#include "exec/runner/reaper.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

#include "exec/runner/attempt_record.h"
#include "exec/runner/raw_call.h"

namespace docket::runner {
namespace {

constexpr std::size_t kStackBytes = 16 * 1024;

// Shared by the runner and its new reaper, on the runner's stack: the reaper must not touch it any
// more once it has set kSettled.
struct Meeting {
  enum : std::uint32_t { kKilled = 0, kBusy = 1, kSettled = 2 };  // the kernel writes kKilled
  ChildPlan* plan;
  void* child_stack;
  std::atomic<std::uint32_t> stage = kBusy;
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

DOCKET_IN_CHILD void take_name_and_signals() {
  raw_call(SYS_prctl, PR_SET_NAME, kReaperName);
  const std::uint64_t all_signals = ~std::uint64_t{0};
  raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &all_signals, nullptr, sizeof all_signals);
}

// Until here the reaper shares the runner's table of descriptors, so that none is copied in vain.
DOCKET_IN_CHILD void keep_only(int record_fd) {
  raw_call(SYS_close_range, record_fd + 1, ~0U, CLOSE_RANGE_UNSHARE);
  if (record_fd > 3) raw_call(SYS_close_range, 3, record_fd - 1, 0);
}

// The kernel must not write kKilled when the reaper ends: by then the memory is in other use.
DOCKET_IN_CHILD void settle(Meeting& meeting) {
  raw_call(SYS_set_tid_address, nullptr);
  auto* const word = &meeting.stage;
  word->store(Meeting::kSettled, std::memory_order_release);
  raw_call(SYS_futex, word, FUTEX_WAKE, 1);
}

DOCKET_IN_CHILD void note_end(int record_fd, const siginfo_t& info) {
  timespec now{};
  raw_call(SYS_clock_gettime, CLOCK_REALTIME, &now);
  const bool exited = info.si_code == CLD_EXITED;
  char line[kEndWord.size() + 64];
  char* const end = line + sizeof line;
  char* at = end;
  *--at = '\n';
  at = put_digits(at, now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
  *--at = ' ';
  at = put_digits(at, exited ? 0 : info.si_status);
  *--at = ' ';
  at = put_digits(at, exited ? info.si_status : 0);
  for (std::size_t i = kEndWord.size(); i > 0; --i) *--at = kEndWord[i - 1];
  raw_call(SYS_write, record_fd, at, end - at);
}

DOCKET_IN_CHILD int reaper_main(void* argument) {
  auto& meeting = *static_cast<Meeting*>(argument);
  take_name_and_signals();
  make_child(*meeting.plan, meeting.child_stack);
  const pid_t command = meeting.plan->pid;
  const int record_fd = meeting.plan->command->record_fd;
  const bool runs = meeting.plan->failed == SpawnStep::kDone;
  keep_only(record_fd);
  settle(meeting);
  siginfo_t info{};
  if (runs && raw_call(SYS_waitid, P_PID, command, &info, WEXITED | WNOWAIT, nullptr) == 0) {
    note_end(record_fd, info);
  }
  for (;;) raw_call(SYS_exit_group, 0);
}

}  // namespace

void* Reapers::take_stack() {
  if (free_.empty()) {
    void* const made = ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return made == MAP_FAILED ? nullptr : made;
  }
  void* const stack = free_.back();
  free_.pop_back();
  return stack;
}

void Reapers::make_child(ChildPlan& plan, void* child_stack) {
  void* const stack = take_stack();
  Meeting meeting{&plan, child_stack};
  const int reaper = stack == nullptr
                         ? -1
                         : ::clone(reaper_main, static_cast<char*>(stack) + kStackBytes,
                                   CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID | SIGCHLD,
                                   &meeting, nullptr, nullptr, &meeting.stage);
  if (reaper < 0) {
    plan.failed = SpawnStep::kClone;
    plan.error = errno;
    if (stack != nullptr) free_.push_back(stack);
    return;
  }
  stacks_.emplace(reaper, stack);
  wait_while(meeting.stage, Meeting::kBusy);
  if (meeting.stage == Meeting::kKilled) take_over(plan, reaper);
}

// The reaper was killed at work. Its child, ours now, uses memory that we are about to reuse until
// its exec; from there on it lacks nothing but a reaper.
void Reapers::take_over(ChildPlan& plan, pid_t reaper) const {
  siginfo_t info{};
  ::waitid(P_PID, static_cast<id_t>(reaper), &info, WEXITED | WNOWAIT);  // its child is ours then
  if (plan.pid < 0) {
    plan.failed = SpawnStep::kClone;
    plan.error = EINTR;
    return;
  }
  wait_while(plan.in_memory, 1);
  if (plan.failed != SpawnStep::kDone) ::waitpid(plan.pid, nullptr, 0);
}

void Reapers::ended(pid_t pid) {
  const auto found = stacks_.find(pid);
  if (found == stacks_.end()) return;
  free_.push_back(found->second);
  stacks_.erase(found);
}

}  // namespace docket::runner
