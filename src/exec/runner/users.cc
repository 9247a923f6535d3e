#include "exec/runner/users.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

constexpr Duration kKeep = std::chrono::minutes{1};

std::vector<gid_t> groups_of(const std::string& name, gid_t primary) {
  int count = 64;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(name.c_str(), primary, groups.data(), &count) < 0) {
    groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(name.c_str(), primary, groups.data(), &count) < 0) count = 0;
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

User user_of(const passwd& entry) {
  return {entry.pw_name, entry.pw_uid,  entry.pw_gid, groups_of(entry.pw_name, entry.pw_gid),
          entry.pw_dir,  entry.pw_shell};
}

constexpr std::size_t kEntryBytes = 16384;

User own_user() {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(kEntryBytes);
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return user_of(entry);
  // A container may run under a number without a name; its own attempts need no switch, so a
  // made-up entry will do.
  return {std::to_string(::geteuid()), ::geteuid(), ::getegid(), {}, "/", "/bin/sh"};
}

Result<User> look_up(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(kEntryBytes);
  const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return user_of(entry);
  if (error != 0) return fail_errno(fmt::format("cannot look up user {}", name), error);
  return fail(ErrorKind::kNotFound, fmt::format("unknown user: {}", name));
}

}  // namespace

UserTable::UserTable() : own_(own_user()) {}

Result<User> UserTable::find(const std::string& name, Time now) {
  if (name.empty()) return own_;
  const auto known = known_.find(name);
  if (known != known_.end() && now >= known->second.read_at &&
      now - known->second.read_at < kKeep) {
    return known->second.user;
  }
  auto user = look_up(name);
  if (!user) return user;
  if (::geteuid() != 0 && user->uid != ::geteuid()) {
    return fail(ErrorKind::kDenied,
                fmt::format("cannot run as user {}: docket does not run as root", name));
  }
  known_.insert_or_assign(name, Entry{*user, now});
  return user;
}

}  // namespace docket::runner
