#include "exec/runner/spawn.h"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <string_view>

#include "exec/runner/child.h"
#include "exec/runner/reaper.h"

namespace docket::runner {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  list.reserve(texts.size() + 1);
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

bool limits_open_files(const Command& command) {
  return std::ranges::any_of(
      command.limits, [](const ResourceLimit& limit) { return limit.resource == RLIMIT_NOFILE; });
}

}  // namespace

struct Spawner::Stack {
  Stack()
      : base(::mmap(nullptr, kChildStackBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
    if (base == MAP_FAILED) throw std::bad_alloc();
  }
  ~Stack() { ::munmap(base, kChildStackBytes); }
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;
  void* base;
};

Spawner::Spawner() : stack_(std::make_unique<Stack>()), reapers_(std::make_unique<Reapers>()) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlimit raised{limit.rlim_max, limit.rlim_max};
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) open_files_ = ResourceLimit{RLIMIT_NOFILE, limit};
}

Spawner::~Spawner() = default;

SpawnResult Spawner::spawn(const Command& command) {
  const std::vector<char*> programs = pointers(command.programs);
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<char*> env = pointers(command.env);
  std::vector<ResourceLimit> limits = command.limits;
  if (open_files_ && !limits_open_files(command)) limits.push_back(*open_files_);
  char shell[] = "/bin/sh";
  std::vector<char*> script_argv = {shell, nullptr};
  script_argv.insert(script_argv.end(), argv.begin() + (argv.size() > 1 ? 1 : 0), argv.end());
  ChildPlan plan{
      programs.data(), command.programs.size(), argv.data(),  script_argv.data(), env.data(),
      &command,        limits.data(),           limits.size()};
  if (command.record_fd >= 0) {
    reapers_->make_child(plan, stack_->base);
  } else {
    make_child(plan, stack_->base);
  }
  return {plan.failed == SpawnStep::kDone ? plan.pid : -1, plan.failed, plan.error};
}

bool Spawner::is_reaper(pid_t pid) const { return reapers_->owns(pid); }

void Spawner::ended(pid_t pid) { reapers_->ended(pid); }

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
