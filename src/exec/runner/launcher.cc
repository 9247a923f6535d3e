#include "exec/runner/launcher.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

#include "exec/runner/fetch_request.h"

namespace docket::runner {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string_view value_of(const std::vector<std::string>& env, std::string_view name) {
  for (const std::string& entry : env) {
    if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
      return std::string_view(entry).substr(name.size() + 1);
    }
  }
  return {};
}

// Mesos: cmd goes through the shell and args follow it; args alone are executed directly.
void set_command_line(const LaunchSpec& spec, Command& command) {
  if (spec.cmd) {
    command.programs = {"/bin/sh"};
    command.argv = {"sh", "-c", *spec.cmd};
    command.argv.insert(command.argv.end(), spec.args.begin(), spec.args.end());
    return;
  }
  command.argv = spec.args;
  if (!spec.args.empty()) {
    command.programs = search_path(spec.args.front(), std::string(value_of(command.env, "PATH")));
  }
}

const User* switch_to(const User& user) {
  return ::geteuid() == 0 && user.uid != 0 ? &user : nullptr;
}

Launched explain(const SpawnResult& failed, const Command& command, const User& user) {
  const std::string reason = errno_text(failed.error);
  const std::string name = command.argv.empty() ? std::string() : command.argv.front();
  switch (failed.failed) {
    case SpawnStep::kExec:
      if (failed.error == ENOENT) return {-1, fmt::format("command not found: {}", name), 127, {}};
      if (failed.error == EACCES) return {-1, fmt::format("permission denied: {}", name), 126, {}};
      return {-1, fmt::format("cannot execute {}: {}", name, reason), 126, {}};
    case SpawnStep::kUser:
      return {-1, fmt::format("cannot become user {}: {}", user.name, reason), 126, {}};
    case SpawnStep::kCgroup:
      return {-1, fmt::format("cannot enter the cgroup: {}", reason), 126, {}};
    case SpawnStep::kLimits:
      return {-1, fmt::format("cannot set the limits of the process: {}", reason), 126, {}};
    case SpawnStep::kClone:
      return {-1, fmt::format("cannot make a process: {}", reason), 126, {}};
    default:
      return {-1, fmt::format("cannot set up the process: {}", reason), 126, {}};
  }
}

OwnedFd memory_file(const char* name, std::string_view text) {
  OwnedFd fd(::memfd_create(name, MFD_CLOEXEC));
  if (!fd || ::pwrite(fd.get(), text.data(), text.size(), 0) != std::ssize(text)) return {};
  return fd;
}

// One cache for each user: what one user downloaded must not be run by another.
OwnedFd open_cache(const std::filesystem::path& dir, const User& user) {
  const std::filesystem::path all = dir / "cache";
  const std::filesystem::path own = all / std::to_string(user.uid);
  ::mkdir(all.c_str(), 0711);
  if (::mkdir(own.c_str(), 0700) == 0 && user.uid != ::geteuid()) {
    if (::chown(own.c_str(), user.uid, user.gid) != 0) return {};
  }
  return OwnedFd(::open(own.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

std::vector<ResourceLimit> limits_of(const ProcessLimits& limits, const User& user,
                                     bool counted_by_cgroup) {
  std::vector<ResourceLimit> list{{RLIMIT_CORE, {limits.core_bytes, limits.core_bytes}}};
  if (limits.open_files > 0) {
    list.push_back({RLIMIT_NOFILE, {limits.open_files, limits.open_files}});
  }
  if (limits.processes > 0 && user.uid != 0 && !counted_by_cgroup) {
    list.push_back({RLIMIT_NPROC, {limits.processes, limits.processes}});
  }
  return list;
}

Command base_command(const ProcessLimits& limits, const Sandbox& sandbox, const User& user,
                     const CgroupSlot* slot) {
  Command command;
  command.limits = limits_of(limits, user, slot != nullptr && slot->counts_processes());
  command.directory_fd = sandbox.work.get();
  command.stderr_fd = sandbox.err.get();
  command.user = switch_to(user);
  if (slot != nullptr) {
    command.cgroup_fds = slot->join_fds();
    command.cgroup_directory_fd = slot->directory_fd();
  }
  return command;
}

}  // namespace

std::vector<std::string> make_environment(const LaunchSpec& spec, const User& user,
                                          const std::string& work) {
  std::vector<std::string> env;
  env.reserve(spec.env.size() + 6);
  for (const auto& [name, value] : spec.env) env.push_back(name + "=" + value);
  const auto add = [&](std::string_view name, std::string_view value) {
    const bool given = std::any_of(spec.env.begin(), spec.env.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    if (!given) env.push_back(fmt::format("{}={}", name, value));
  };
  add("PATH", kDefaultPath);
  add("HOME", user.home);
  add("USER", user.name);
  add("SHELL", user.shell);
  add("MESOS_SANDBOX", work);
  add("PWD", work);
  return env;
}

Launched Launcher::spawn(const Command& command, const User& user) {
  const SpawnResult result = spawner_.spawn(command);
  if (!result) return explain(result, command, user);
  return {result.pid, {}, 0, {}};
}

Launched Launcher::run(const LaunchSpec& spec, const User& user, const std::string& work,
                       const Sandbox& sandbox, const CgroupSlot* slot) {
  Command command = base_command(config_.limits, sandbox, user, slot);
  command.env = make_environment(spec, user, work);
  set_command_line(spec, command);
  if (command.argv.empty()) return {-1, "neither cmd nor args given", 127, {}};
  command.stdout_fd = sandbox.out.get();
  command.record_fd = sandbox.record.get();
  return spawn(command, user);
}

Launched Launcher::fetch(const LaunchSpec& spec, const User& user, const std::string& work,
                         const Sandbox& sandbox, const CgroupSlot* slot) {
  const OwnedFd cache = open_cache(config_.dir, user);
  const OwnedFd request = memory_file(
      "docket-fetch", encode_request({spec.artifacts, config_.fetch, static_cast<bool>(cache)}));
  OwnedFd result = memory_file("docket-fetch-result", "");
  if (!request || !result) return {-1, "cannot prepare the fetching of artifacts", 126, {}};
  Command command = base_command(config_.limits, sandbox, user, slot);
  command.programs = {config_.fetch_program};
  command.argv = {config_.fetch_program};
  command.argv.insert(command.argv.end(), config_.fetch_arguments.begin(),
                      config_.fetch_arguments.end());
  const LaunchSpec no_env;  // the downloader must not see the job's secrets
  command.env = make_environment(no_env, user, work);
  command.stdin_fd = request.get();
  command.stdout_fd = result.get();
  command.fourth_fd = cache.get();
  Launched launched = spawn(command, user);
  launched.result = std::move(result);
  return launched;
}

}  // namespace docket::runner
