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

// The first mount of a controller counts: those of chroots and containers show the same groups.
bool brings(const Mount& mount, std::string_view name, const std::vector<Hierarchy>& known,
            bool Hierarchy::* controller) {
  return lists(mount.options, name, ',') && std::ranges::none_of(known, controller);
}

// The controllers of a v1 mount; none when all of them are known already.
Hierarchy controllers_of(const Mount& mount, const std::vector<Hierarchy>& known) {
  return {CgroupVersion::kV1,
          {},
          brings(mount, "cpu", known, &Hierarchy::cpu),
          brings(mount, "memory", known, &Hierarchy::memory),
          brings(mount, "pids", known, &Hierarchy::pids)};
}

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
    Hierarchy found = is_v2 ? Hierarchy{} : controllers_of(*mount, v1);
    if (!is_v2 && !found.cpu && !found.memory && !found.pids) continue;
    const auto path = own_path(self_cgroup, is_v2          ? ""
                                            : found.cpu    ? "cpu"
                                            : found.memory ? "memory"
                                                           : "pids");
    if (!path) continue;
    found.base = directory(*mount, *path);
    if (!is_v2) {
      v1.push_back(std::move(found));
      continue;
    }
    const std::string offered = read_file(found.base / "cgroup.controllers");
    if (!lists(offered, "cpu", ' ') || !lists(offered, "memory", ' ')) continue;
    return {Hierarchy{CgroupVersion::kV2, found.base, true, true}};
  }
  const bool useful = std::ranges::any_of(v1, [](const Hierarchy& h) { return h.cpu || h.memory; });
  return useful ? v1 : std::vector<Hierarchy>();
}

}  // namespace docket::runner
