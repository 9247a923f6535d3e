#include "exec/runner/spawn.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <new>
#include <string_view>

#include "exec/runner/attempt_record.h"

// Code of the child, on a stack that the sanitizers do not know.
#define DOCKET_IN_CHILD __attribute__((no_sanitize("address", "undefined")))

namespace docket::runner {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;

// What the child sees: plain pointers into memory that the waiting parent keeps alive.
struct ChildPlan {
  const char* const* programs;
  std::size_t program_count;
  char* const* argv;
  char** script_argv;  // "/bin/sh", a free place for the script, then argv's rest
  char* const* env;
  const Command* command;
  const int* cgroup_fds;
  std::size_t cgroup_count;
  rlimit open_files;
  bool restore_open_files;
  SpawnStep failed;
  int error;
};

// In the child errno belongs to the parent's thread, so failures are kept in the plan and the child
// uses syscall() only where a result of -1 with errno is harmless: the parent is stopped and does
// not look at errno across the clone.
struct ChildFailure {
  ChildPlan* plan;
  [[noreturn]] DOCKET_IN_CHILD void at(SpawnStep step) const {
    plan->failed = step;
    plan->error = errno;
    for (;;) ::syscall(SYS_exit_group, 127);
  }
};

DOCKET_IN_CHILD void place_files(const ChildFailure& failure, const Command& command) {
  const int fds[] = {command.stdin_fd, command.stdout_fd, command.stderr_fd, command.fourth_fd};
  for (int target = 0; target < 4; ++target) {
    if (fds[target] >= 0 && ::syscall(SYS_dup3, fds[target], target, 0) < 0) {
      failure.at(SpawnStep::kFiles);
    }
  }
}

// "spawn <pid>": with it the next runner recognizes this process even if this one dies right now.
DOCKET_IN_CHILD void note_spawn(const ChildFailure& failure, int record_fd) {
  char line[kSpawnWord.size() + 24];
  char* at = line + sizeof line;
  *--at = '\n';
  for (long pid = ::syscall(SYS_getpid); pid > 0; pid /= 10)
    *--at = static_cast<char>('0' + pid % 10);
  for (std::size_t i = kSpawnWord.size(); i > 0; --i) *--at = kSpawnWord[i - 1];
  if (::syscall(SYS_write, record_fd, at, line + sizeof line - at) < 0)
    failure.at(SpawnStep::kFiles);
}

DOCKET_IN_CHILD void become_user(const ChildFailure& failure, const User& user) {
  // The raw calls change this process only; libc's would signal the parent's threads.
  if (::syscall(SYS_setgroups, user.groups.size(), user.groups.data()) < 0 ||
      ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) < 0 ||
      ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) < 0) {
    failure.at(SpawnStep::kUser);
  }
}

DOCKET_IN_CHILD void execute(const ChildFailure& failure, const ChildPlan& plan) {
  int first_error = ENOENT;
  for (std::size_t i = 0; i < plan.program_count; ++i) {
    ::syscall(SYS_execve, plan.programs[i], plan.argv, plan.env);
    if (errno == ENOEXEC) {  // a script without #!: the shell runs it, as execvp does
      plan.script_argv[1] = const_cast<char*>(plan.programs[i]);
      ::syscall(SYS_execve, plan.script_argv[0], plan.script_argv, plan.env);
    }
    if (errno == EACCES) first_error = EACCES;  // goes on, but says so if nothing else is found
    if (errno != EACCES && errno != ENOENT && errno != ENOTDIR) {
      first_error = errno;
      break;
    }
  }
  errno = first_error;
  failure.at(SpawnStep::kExec);
}

DOCKET_IN_CHILD int child_main(void* argument) {
  auto* plan = static_cast<ChildPlan*>(argument);
  const ChildFailure failure{plan};
  const Command& command = *plan->command;
  for (std::size_t i = 0; i < plan->cgroup_count; ++i) {
    if (::syscall(SYS_write, plan->cgroup_fds[i], "0", 1) < 0) failure.at(SpawnStep::kCgroup);
  }
  if (::syscall(SYS_setsid) < 0) failure.at(SpawnStep::kSession);
  if (plan->restore_open_files) {
    ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, &plan->open_files, nullptr);
  }
  if (::syscall(SYS_fchdir, command.directory_fd) < 0) failure.at(SpawnStep::kDirectory);
  place_files(failure, command);
  if (command.record_fd >= 0) note_spawn(failure, command.record_fd);
  if (command.user != nullptr) become_user(failure, *command.user);
  const std::uint64_t no_signals = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, sizeof no_signals);
  execute(failure, *plan);
  return 127;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

#if defined(__x86_64__)
#define DOCKET_HAS_CLONE3 1
// clone3 with an own stack has no wrapper in libc: the child must not return through the parent's
// frame.
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
// that waits for a grace period of the kernel, several milliseconds.
int make_child(ChildPlan& plan, void* stack, std::size_t stack_bytes) {
#ifdef DOCKET_HAS_CLONE3
  if (plan.command->cgroup_directory_fd >= 0) {
    clone_args args{};
    args.flags = CLONE_VM | CLONE_VFORK | CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uintptr_t>(stack);
    args.stack_size = stack_bytes;
    args.cgroup = static_cast<std::uint64_t>(plan.command->cgroup_directory_fd);
    const long pid = clone3_call(args, child_main, &plan);
    if (pid >= 0) return static_cast<int>(pid);
    errno = static_cast<int>(-pid);
    return -1;
  }
#endif
  return ::clone(child_main, static_cast<char*>(stack) + stack_bytes,
                 CLONE_VM | CLONE_VFORK | SIGCHLD, &plan);
}

}  // namespace

struct Spawner::Stack {
  Stack()
      : base(::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (base == MAP_FAILED) throw std::bad_alloc();
  }
  ~Stack() { ::munmap(base, kStackBytes); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  void* base;
};

Spawner::Spawner() : stack_(std::make_unique<Stack>()), open_files_soft_(0) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) open_files_soft_ = limit.rlim_cur;
}

Spawner::~Spawner() = default;

SpawnResult Spawner::spawn(const Command& command) {
  const std::vector<char*> programs = pointers(command.programs);
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<char*> env = pointers(command.env);
  char shell[] = "/bin/sh";
  std::vector<char*> script_argv = {shell, nullptr};
  script_argv.insert(script_argv.end(), argv.begin() + (argv.size() > 1 ? 1 : 0), argv.end());
  ChildPlan plan{programs.data(),
                 command.programs.size(),
                 argv.data(),
                 script_argv.data(),
                 env.data(),
                 &command,
                 command.cgroup_fds.data(),
                 command.cgroup_fds.size(),
                 {},
                 open_files_soft_ != 0,
                 SpawnStep::kDone,
                 0};
  if (plan.restore_open_files) {
    ::getrlimit(RLIMIT_NOFILE, &plan.open_files);
    plan.open_files.rlim_cur = open_files_soft_;
  }
  // A signal taken by the child before exec would run the runner's handlers on shared memory;
  // SIGTERM is blocked anyway.
  const int pid = make_child(plan, stack_->base, kStackBytes);
  if (pid < 0) return {-1, SpawnStep::kClone, errno};
  if (plan.failed == SpawnStep::kDone) return {pid, SpawnStep::kDone, 0};
  ::waitpid(pid, nullptr, 0);
  return {-1, plan.failed, plan.error};
}

bool can_clone_into_cgroup() {
#ifdef DOCKET_HAS_CLONE3
  return true;
#else
  return false;
#endif
}

std::vector<std::string> search_path(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return {name};
  std::vector<std::string> found;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const std::string_view folder = std::string_view(path).substr(begin, end - begin);
    found.push_back((folder.empty() ? std::string(".") : std::string(folder)) + "/" + name);
    begin = end + 1;
  }
  return found;
}

}  // namespace docket::runner
