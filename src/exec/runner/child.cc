#include "exec/runner/child.h"

#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "exec/runner/attempt_record.h"
#include "exec/runner/raw_call.h"

namespace docket::runner {
namespace {

struct ChildFailure {
  ChildPlan* plan;
  [[noreturn]] DOCKET_IN_CHILD void at(SpawnStep step, long result) const {
    plan->failed = step;
    plan->error = static_cast<int>(-result);
    for (;;) raw_call(SYS_exit_group, 127);
  }
  DOCKET_IN_CHILD void check(SpawnStep step, long result) const {
    if (result < 0) at(step, result);
  }
};

DOCKET_IN_CHILD void place_files(const ChildFailure& failure, const Command& command) {
  const int fds[] = {command.stdin_fd, command.stdout_fd, command.stderr_fd, command.fourth_fd};
  for (int target = 0; target < 4; ++target) {
    if (fds[target] >= 0)
      failure.check(SpawnStep::kFiles, raw_call(SYS_dup3, fds[target], target, 0));
  }
}

// "spawn <pid>": with it the next runner recognizes this process even if this one dies right now.
DOCKET_IN_CHILD void note_spawn(const ChildFailure& failure, int record_fd) {
  char line[kSpawnWord.size() + 24];
  char* const end = line + sizeof line;
  end[-1] = '\n';
  char* at = put_digits(end - 1, raw_call(SYS_getpid));
  for (std::size_t i = kSpawnWord.size(); i > 0; --i) *--at = kSpawnWord[i - 1];
  failure.check(SpawnStep::kFiles, raw_call(SYS_write, record_fd, at, end - at));
}

// The raw calls change this process only; libc's would signal the parent's threads.
DOCKET_IN_CHILD void become_user(const ChildFailure& failure, const User& user) {
  constexpr SpawnStep kUser = SpawnStep::kUser;
  failure.check(kUser, raw_call(SYS_setgroups, user.groups.size(), user.groups.data()));
  failure.check(kUser, raw_call(SYS_setresgid, user.gid, user.gid, user.gid));
  failure.check(kUser, raw_call(SYS_setresuid, user.uid, user.uid, user.uid));
}

DOCKET_IN_CHILD void execute(const ChildFailure& failure, const ChildPlan& plan) {
  long first_error = -ENOENT;
  for (std::size_t i = 0; i < plan.program_count; ++i) {
    long error = raw_call(SYS_execve, plan.programs[i], plan.argv, plan.env);
    if (error == -ENOEXEC) {  // a script without #!: the shell runs it, as execvp does
      plan.script_argv[1] = const_cast<char*>(plan.programs[i]);
      error = raw_call(SYS_execve, plan.script_argv[0], plan.script_argv, plan.env);
    }
    if (error == -EACCES) first_error = error;  // goes on, but says so if nothing else is found
    if (error != -EACCES && error != -ENOENT && error != -ENOTDIR)
      failure.at(SpawnStep::kExec, error);
  }
  failure.at(SpawnStep::kExec, first_error);
}

DOCKET_IN_CHILD int child_main(void* argument) {
  auto* plan = static_cast<ChildPlan*>(argument);
  const ChildFailure failure{plan};
  const Command& command = *plan->command;
  for (const int fd : command.cgroup_fds) {
    failure.check(SpawnStep::kCgroup, raw_call(SYS_write, fd, "0", 1));
  }
  failure.check(SpawnStep::kSession, raw_call(SYS_setsid));
  for (std::size_t i = 0; i < plan->limit_count; ++i) {
    const ResourceLimit& limit = plan->limits[i];
    failure.check(SpawnStep::kLimits,
                  raw_call(SYS_prlimit64, 0, limit.resource, &limit.value, nullptr));
  }
  failure.check(SpawnStep::kDirectory, raw_call(SYS_fchdir, command.directory_fd));
  place_files(failure, command);
  if (command.record_fd >= 0) note_spawn(failure, command.record_fd);
  if (command.user != nullptr) become_user(failure, *command.user);
  const std::uint64_t no_signals = 0;
  raw_call(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, sizeof no_signals);
  execute(failure, *plan);
  return 127;
}

#if defined(__x86_64__)
#define DOCKET_HAS_CLONE3 1
// clone3 with a stack of its own has no wrapper in libc: the child must not return through the
// parent's frame.
long clone3_call(const clone_args& args, int (*function)(void*), void* argument) {
  long result = SYS_clone3;
  register auto target asm("r8") = function;
  register void* parameter asm("r9") = argument;
  asm volatile(
      "syscall\n\t"
      "testq %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xorl %%ebp, %%ebp\n\t"
      "movq %%r9, %%rdi\n\t"
      "callq *%%r8\n\t"
      "hlt\n"
      "1:\n\t"
      : "+a"(result)
      : "D"(&args), "S"(sizeof args), "r"(target), "r"(parameter)
      : "rcx", "r11", "memory");
  return result;
}
#endif

// In the child's cgroup from birth, where that is asked for: moving it there takes a lock on v2
// that waits for a grace period of the kernel, several milliseconds. A signal taken by the child
// before exec would run on shared memory; the runner has no handlers, and SIGTERM is blocked.
DOCKET_IN_CHILD long clone_child(ChildPlan& plan, void* stack) {
  constexpr int kFlags = CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
#ifdef DOCKET_HAS_CLONE3
  if (plan.command->cgroup_directory_fd >= 0) {
    clone_args args{};
    args.flags = kFlags | CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.child_tid = reinterpret_cast<std::uintptr_t>(&plan.in_memory);
    args.parent_tid = reinterpret_cast<std::uintptr_t>(&plan.pid);
    args.stack = reinterpret_cast<std::uintptr_t>(stack);
    args.stack_size = kChildStackBytes;
    args.cgroup = static_cast<std::uint64_t>(plan.command->cgroup_directory_fd);
    return clone3_call(args, child_main, &plan);
  }
#endif
  const int pid = ::clone(child_main, static_cast<char*>(stack) + kChildStackBytes,
                          kFlags | SIGCHLD, &plan, &plan.pid, nullptr, &plan.in_memory);
  return pid < 0 ? -errno : pid;
}

}  // namespace

DOCKET_IN_CHILD void make_child(ChildPlan& plan, void* stack) {
  const long pid = clone_child(plan, stack);
  if (pid < 0) {
    plan.failed = SpawnStep::kClone;
    plan.error = static_cast<int>(-pid);
  } else if (plan.failed != SpawnStep::kDone) {
    raw_call(SYS_wait4, pid, nullptr, 0, nullptr);
  }
}

void wait_while(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  while (word.load(std::memory_order_acquire) == value) {
    raw_call(SYS_futex, &word, FUTEX_WAIT, value, nullptr);
  }
}

bool can_clone_into_cgroup() {
#ifdef DOCKET_HAS_CLONE3
  return true;
#else
  return false;
#endif
}

}  // namespace docket::runner
