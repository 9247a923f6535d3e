#include "exec/runner/cgroups.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "exec/runner/cgroup_files.h"
#include "exec/runner/spawn.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

std::string describe(const std::vector<Hierarchy>& hierarchies) {
  const auto any = [&](bool Hierarchy::* controller) {
    return std::ranges::any_of(hierarchies, controller);
  };
  std::vector<std::string_view> names;
  if (any(&Hierarchy::cpu)) names.emplace_back("cpu");
  if (any(&Hierarchy::memory)) names.emplace_back("memory");
  if (any(&Hierarchy::pids)) names.emplace_back("pids");
  return fmt::format("cgroup {} ({})",
                     hierarchies.front().version == CgroupVersion::kV2 ? "v2" : "v1",
                     fmt::join(names, ", "));
}

}  // namespace

CgroupPool::CgroupPool(CgroupOptions options, const std::string& name, std::uint64_t life)
    : options_(options), prefix_(fmt::format("{}-", life)) {
  if (!options_.enabled) {
    status_ = "limits are not enforced: cgroups are switched off";
    return;
  }
  const auto read_file = [](const fs::path& path) {
    return read_small_file(AT_FDCWD, path.c_str());
  };
  hierarchies_ = find_hierarchies(read_file("/proc/self/mountinfo"), read_file("/proc/self/cgroup"),
                                  read_file);
  if (hierarchies_.empty()) {
    status_ = "limits are not enforced: no cgroup hierarchy with cpu or memory is mounted";
    return;
  }
  for (Hierarchy& hierarchy : hierarchies_) hierarchy.base /= name;
  start();
}

CgroupPool::CgroupPool(CgroupOptions options, std::vector<Hierarchy> hierarchies,
                       std::uint64_t life)
    : options_(options), hierarchies_(std::move(hierarchies)), prefix_(fmt::format("{}-", life)) {
  start();
}

// Without limits attempts still run: that is better than not at all, as long as it is reported.
void CgroupPool::start() {
  if (auto ready = prepare(); ready) {
    status_ = describe(hierarchies_);
  } else {
    status_ = "limits are not enforced: " + ready.error().message;
    hierarchies_.clear();
  }
}

CgroupPool::~CgroupPool() {
  for (const auto& slot : slots_) {
    for (const fs::path& path : slot->paths_) ::rmdir(path.c_str());  // stays while an attempt runs
  }
  for (const Hierarchy& hierarchy : hierarchies_) ::rmdir(hierarchy.base.c_str());
}

Result<> CgroupPool::prepare() {
  for (Hierarchy& hierarchy : hierarchies_) {
    if (hierarchy.version == CgroupVersion::kV2) {
      if (auto done = prepare_v2(hierarchy); !done) return done;
    } else if (::mkdir(hierarchy.base.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno(fmt::format("cannot make {}", hierarchy.base.string()), errno);
    }
  }
  clear_old_slots();
  return {};
}

// Tries our own cgroup, then its ancestors; the first refusal is the one to report.
Result<> CgroupPool::prepare_v2(Hierarchy& hierarchy) {
  const std::string name = hierarchy.base.filename();
  fs::path parent = hierarchy.base.parent_path();
  if (parent.filename() == kLeafName) parent = parent.parent_path();  // an earlier runner moved us
  Result<> refusal;
  for (; ::access((parent / "cgroup.subtree_control").c_str(), F_OK) == 0;
       parent = parent.parent_path()) {
    hierarchy.base = parent / name;
    Result<> done = enable_controllers(parent);
    if (!done && move_own_processes_to_leaf(parent)) done = enable_controllers(parent);
    if (done && ::mkdir(hierarchy.base.c_str(), 0755) != 0 && errno != EEXIST) {
      done = fail_errno(fmt::format("cannot make {}", hierarchy.base.string()), errno);
    }
    if (done) done = enable_controllers(hierarchy.base);
    if (done) hierarchy.pids = has_pids_controller(hierarchy.base);
    if (done) return done;
    if (refusal) refusal = std::move(done);
  }
  return refusal ? fail(ErrorKind::kUnavailable, "cgroup v2 has no directory for us") : refusal;
}

void CgroupPool::clear_old_slots() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(hierarchies_.front().base, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.empty() && name.front() >= '0' && name.front() <= '9') names.push_back(name);
  }
  for (const std::string& name : names) clear_old_slot(name);
}

// One with processes stays: it belongs to an attempt that will be adopted or lost.
void CgroupPool::clear_old_slot(const std::string& name) {
  bool gone = true;
  for (const Hierarchy& hierarchy : hierarchies_) {
    const int removed = ::rmdir((hierarchy.base / name).c_str());
    gone = gone && (removed == 0 || errno == ENOENT);
  }
  if (!gone) (void)make_slot(name);
}

bool CgroupPool::made_here(const CgroupSlot& slot) const { return slot.name_.starts_with(prefix_); }

Result<CgroupSlot*> CgroupPool::make_slot(const std::string& name) {
  auto slot = std::make_unique<CgroupSlot>();
  slot->name_ = name;
  for (const Hierarchy& hierarchy : hierarchies_) {
    const fs::path path = hierarchy.base / name;
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno(fmt::format("cannot make cgroup {}", path.string()), errno);
    }
    slot->paths_.push_back(path);
    slot->counts_processes_ |= hierarchy.pids;
    if (hierarchy.memory) {
      const fs::path oom = path / oom_file(hierarchy.version);
      slot->oom_file_ = OwnedFd(::open(oom.c_str(), O_RDONLY | O_CLOEXEC));
    }
    if (hierarchy.version == CgroupVersion::kV2 && can_clone_into_cgroup()) {
      slot->directory_ = OwnedFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
      if (slot->directory_) continue;
    }
    const fs::path join = path / join_file(hierarchy.version);
    OwnedFd fd(::open(join.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return fail_errno(fmt::format("cannot open {}", join.string()), errno);
    slot->join_fds_.push_back(fd.get());
    slot->files_.push_back(std::move(fd));
  }
  slots_.push_back(std::move(slot));
  return slots_.back().get();
}

CgroupSlot* CgroupPool::free_slot(const CgroupLimits& limits) {
  if (free_.empty()) return nullptr;
  // Slots with the same limits need no writes. The search is short: most jobs of a machine share a
  // few sizes, and what was released last lies at the end.
  constexpr std::ptrdiff_t kLookAt = 64;
  const auto begin = free_.end() - std::min<std::ptrdiff_t>(kLookAt, std::ssize(free_));
  auto best =
      std::find_if(begin, free_.end(), [&](const CgroupSlot* s) { return s->limits_ == limits; });
  if (best == free_.end()) best = begin;
  CgroupSlot* slot = *best;
  free_.erase(best);
  return slot;
}

Result<CgroupSlot*> CgroupPool::take(const CgroupLimits& limits) {
  CgroupSlot* slot = free_slot(limits);
  if (slot == nullptr) {
    auto made = make_slot(fmt::format("{}{}", prefix_, next_name_++));
    if (!made) return made;
    slot = *made;
  }
  if (auto applied = apply(*slot, limits); !applied) {
    free_.push_back(slot);
    return fail(std::move(applied.error()));
  }
  slot->oom_kills_ = slot->oom_file_ ? read_oom_kills(slot->oom_file_.get()) : 0;
  slot->taken_ = true;
  return slot;
}

void CgroupPool::release(CgroupSlot& slot) {
  if (!slot.taken_) return;
  slot.taken_ = false;
  if (made_here(slot)) {
    free_.push_back(&slot);
    return;
  }
  // While what was killed in it is still dying this fails, and the next runner does it.
  for (const fs::path& path : slot.paths_) ::rmdir(path.c_str());
  std::erase_if(slots_, [&](const auto& owned) { return owned.get() == &slot; });
}

CgroupSlot* CgroupPool::adopt(const std::string& name) {
  for (const auto& slot : slots_) {
    if (slot->name_ != name || slot->taken_) continue;
    std::erase(free_, slot.get());
    slot->taken_ = true;
    slot->oom_kills_ =
        0;  // of the same attempt: counters of a slot start with its directory or its last user
    return slot.get();
  }
  return nullptr;
}

std::vector<pid_t> CgroupPool::processes(const CgroupSlot& slot) const {
  // Opened anew: a v1 kernel serves an old list for a second to a descriptor that has read before.
  const std::string text = read_small_file(AT_FDCWD, (slot.paths_.back() / "cgroup.procs").c_str());
  std::vector<pid_t> pids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error != std::errc{}) break;
    if (pid > 0) pids.push_back(pid);
    at = next + 1;
  }
  return pids;
}

bool CgroupPool::oom_killed(const CgroupSlot& slot) const {
  return slot.oom_file_ && read_oom_kills(slot.oom_file_.get()) > slot.oom_kills_;
}

Result<> CgroupPool::apply(CgroupSlot& slot, const CgroupLimits& limits) {
  if (slot.limits_ == limits) return {};
  const CgroupLimits before = std::exchange(slot.limits_, kUnknownLimits);
  for (std::size_t i = 0; i < hierarchies_.size(); ++i) {
    if (auto done = apply(hierarchies_[i], slot.paths_[i], before, limits); !done) return done;
  }
  slot.limits_ = limits;
  return {};
}

Result<> CgroupPool::apply(const Hierarchy& hierarchy, const fs::path& path,
                           const CgroupLimits& before, const CgroupLimits& limits) const {
  if (hierarchy.cpu && before.cpus != limits.cpus) {
    if (auto done = apply_cpu(hierarchy, path, limits.cpus); !done) return done;
  }
  if (hierarchy.memory && before.mem_mib != limits.mem_mib) {
    const auto bytes = static_cast<std::int64_t>(limits.mem_mib * 1024 * 1024);
    if (auto done = write_memory_limit(hierarchy.version, path, bytes); !done) return done;
  }
  if (!hierarchy.pids || (before != kUnknownLimits && before.processes == limits.processes)) {
    return {};
  }
  return write_process_limit(path, limits.processes);
}

Result<> CgroupPool::apply_cpu(const Hierarchy& hierarchy, const fs::path& path,
                               double cpus) const {
  if (auto done = write_cpu_shares(hierarchy.version, path, cpus); !done) return done;
  const bool limited = options_.cpu_quota && cpus > 0;
  return write_cpu_quota(hierarchy.version, path,
                         limited ? std::max(cpus, options_.cpu_quota_floor) : 0);
}

}  // namespace docket::runner
