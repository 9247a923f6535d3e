#include "exec/runner/processes.h"

#include <dirent.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <sstream>
#include <string_view>
#include <system_error>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;

std::string read_proc(pid_t pid, const char* file) {
  return read_small_file(AT_FDCWD, fmt::format("/proc/{}/{}", pid, file).c_str());
}

std::optional<pid_t> parse_pid(std::string_view text) {
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return pid;
}

bool has_sandbox(pid_t pid, const std::filesystem::path& work) {
  const std::string environment = '\0' + read_proc(pid, "environ");
  const std::string marker = '\0' + ("MESOS_SANDBOX=" + work.string()) + '\0';
  return environment.find(marker) != std::string::npos;
}

bool works_in(pid_t pid, const std::filesystem::path& work) {
  std::error_code error;
  const auto cwd = std::filesystem::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
  const std::string text = cwd.string();
  return !error && (text == work.string() || text.starts_with(work.string() + "/"));
}

}  // namespace

std::optional<ProcessStat> process_stat(pid_t pid) {
  const std::string text = read_proc(pid, "stat");
  const std::size_t name_end = text.rfind(')');  // the name may hold anything, parentheses too
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream in(text.substr(name_end + 1));
  ProcessStat stat;
  in >> stat.state >> stat.parent >> stat.group >> stat.session;
  std::int64_t ticks = 0;
  for (int field = 7; field <= 22; ++field) in >> ticks;  // field 22 is the start time
  if (!in) return std::nullopt;
  stat.started_ns = ticks * (kSecondNs / ::sysconf(_SC_CLK_TCK));
  return stat;
}

std::vector<pid_t> own_children() {
  const pid_t self = ::getpid();
  std::istringstream in(read_proc(self, fmt::format("task/{}/children", self).c_str()));
  std::vector<pid_t> children;
  for (pid_t pid = 0; in >> pid;) children.push_back(pid);
  return children;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return pids;
  while (const dirent* entry = ::readdir(proc)) {
    if (const auto pid = parse_pid(entry->d_name)) pids.push_back(*pid);
  }
  ::closedir(proc);
  return pids;
}

std::string boot_id() {
  std::string id = read_small_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::int64_t boot_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::int64_t{now.tv_sec} * kSecondNs + now.tv_nsec;
}

bool came_from(pid_t pid, pid_t main_pid, const std::filesystem::path& work) {
  const auto stat = process_stat(pid);
  if (!stat || stat->state == 'Z' || stat->state == 'X') return false;
  if (main_pid > 0 && (stat->session == main_pid || stat->group == main_pid)) return true;
  return has_sandbox(pid, work) || works_in(pid, work);
}

bool leads_session_of(pid_t pid, const std::filesystem::path& work) {
  const auto stat = process_stat(pid);
  return stat && stat->session == pid && stat->state != 'Z' && has_sandbox(pid, work);
}

}  // namespace docket::runner
