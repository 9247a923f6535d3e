#include <algorithm>
#include <optional>
#include <sstream>

#include "exec/runner/cgroups.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

struct Mount {
  std::string root;  // of the hierarchy, as far as this mount shows it
  fs::path point;
  std::string type;     // cgroup, cgroup2
  std::string options;  // the controllers of a v1 hierarchy are among them
};

// "36 25 0:31 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu": see proc(5).
std::optional<Mount> parse_mount(const std::string& line) {
  std::istringstream in(line);
  std::string skip;
  std::string word;
  Mount mount;
  std::string point;
  in >> skip >> skip >> skip >> mount.root >> point;
  while (in >> word && word != "-") {
  }
  in >> mount.type >> skip >> mount.options;
  mount.point = point;
  if (!in || !mount.type.starts_with("cgroup")) return std::nullopt;
  return mount;
}

bool lists(std::string_view names, std::string_view name, char separator) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(separator), names.size());
    std::string_view word = names.substr(0, end);
    while (!word.empty() && (word.back() == '\n' || word.back() == ' ')) word.remove_suffix(1);
    if (word == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

// Our path in the hierarchy whose controllers contain name; v2 is the line "0::PATH".
std::optional<std::string> own_path(std::string_view self_cgroup, std::string_view controller) {
  std::istringstream in{std::string(self_cgroup)};
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : lists(names, controller, ',')) {
      return line.substr(second + 1);
    }
  }
  return std::nullopt;
}

// A container sees a subtree: its mount's root is then a prefix of the path that /proc names.
fs::path directory(const Mount& mount, const std::string& path) {
  std::string_view rest = path;
  if (mount.root != "/" && rest.starts_with(mount.root)) rest.remove_prefix(mount.root.size());
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return rest.empty() ? mount.point : mount.point / rest;
}

bool has_cpu(const Hierarchy& hierarchy) { return hierarchy.cpu; }
bool has_memory(const Hierarchy& hierarchy) { return hierarchy.memory; }

}  // namespace

std::vector<Hierarchy> find_hierarchies(
    std::string_view mountinfo, std::string_view self_cgroup,
    const std::function<std::string(const fs::path&)>& read_file) {
  std::vector<Hierarchy> v1;
  std::istringstream in{std::string(mountinfo)};
  for (std::string line; std::getline(in, line);) {
    const auto mount = parse_mount(line);
    if (!mount) continue;
    const bool is_v2 = mount->type == "cgroup2";
    // The first mount of a controller counts: those of chroots and containers show the same groups.
    const bool cpu =
        !is_v2 && lists(mount->options, "cpu", ',') && std::ranges::none_of(v1, has_cpu);
    const bool memory =
        !is_v2 && lists(mount->options, "memory", ',') && std::ranges::none_of(v1, has_memory);
    if (!is_v2 && !cpu && !memory) continue;
    const auto path = own_path(self_cgroup, is_v2 ? "" : cpu ? "cpu" : "memory");
    if (!path) continue;
    const fs::path base = directory(*mount, *path);
    if (is_v2) {
      const std::string offered = read_file(base / "cgroup.controllers");
      if (lists(offered, "cpu", ' ') && lists(offered, "memory", ' ')) {
        return {Hierarchy{CgroupVersion::kV2, base, true, true}};
      }
      continue;
    }
    v1.push_back({CgroupVersion::kV1, base, cpu, memory});
  }
  return v1;
}

}  // namespace docket::runner
