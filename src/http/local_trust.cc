#include "http/local_trust.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace docket::http {
namespace {

// Calls a function of the getpwuid_r(3) family with as large a buffer as it needs; the entry points
// into the buffer.
template <class Entry, class Key>
std::optional<Entry> look_up(int (*function)(Key, Entry*, char*, std::size_t, Entry**), Key key,
                             std::vector<char>& room) {
  constexpr std::size_t kMostRoom = 1 << 20;
  for (room.resize(4096); room.size() <= kMostRoom; room.resize(room.size() * 2)) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = function(key, &entry, room.data(), room.size(), &found);
    if (error != ERANGE) return found ? std::optional(entry) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<gid_t> id_of_group(const std::string& name) {
  std::vector<char> room;
  const auto entry = look_up<::group>(::getgrnam_r, name.c_str(), room);
  return entry ? std::optional(entry->gr_gid) : std::nullopt;
}

std::vector<gid_t> groups_of(uid_t user) {
  std::vector<char> room;
  const auto entry = look_up<::passwd>(::getpwuid_r, user, room);
  if (!entry) return {};
  std::vector<gid_t> groups(64);
  int count = static_cast<int>(groups.size());
  while (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) {
    groups.resize(std::max(static_cast<std::size_t>(count), groups.size() * 2));
    count = static_cast<int>(groups.size());
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

constexpr const char* kHelp =
    ". To allow more users: --trust-group GROUP, --allow-local-users, or a token of an access list "
    "(--access)";

}  // namespace

bool is_member(uid_t user, const std::string& group) {
  const auto wanted = id_of_group(group);
  if (!wanted) return false;
  const auto groups = groups_of(user);
  return std::ranges::find(groups, *wanted) != groups.end();
}

Result<> check_group(const std::string& group) {
  if (id_of_group(group)) return {};
  return fail(ErrorKind::kInvalid, "there is no group " + group);
}

LocalTrust::LocalTrust(TrustSettings settings, std::unique_ptr<PeerOwners> owners, uid_t self,
                       IsMember is_member)
    : settings_(std::move(settings)),
      owners_(std::move(owners)),
      self_(self),
      is_member_(std::move(is_member)) {}

std::string LocalTrust::objection(int socket, Time now) {
  if (settings_.local_users && settings_.remote) return {};
  const PeerInfo facts = owners_->look(socket);
  if (!facts.local) {
    if (settings_.remote) return {};
    return "This server serves its own machine only. To allow others: --allow-open, or a token of "
           "an access list (--access)";
  }
  if (settings_.local_users) return {};
  if (facts.owner && trusts(*facts.owner, now)) return {};
  const std::string who = facts.owner ? ", and this is user " + std::to_string(*facts.owner)
                                      : ", and the user of this connection cannot be determined";
  return "This server serves " + describe_trusted_users() + " only" + who + kHelp;
}

bool LocalTrust::trusts(uid_t user, Time now) {
  if (user == self_ || user == 0) return true;
  if (settings_.groups.empty()) return false;
  Membership& known = known_[user];
  if (now >= known.until) {
    known.member = std::ranges::any_of(
        settings_.groups, [&](const std::string& group) { return is_member_(user, group); });
    known.until = now + kMemory;
  }
  return known.member;
}

// "root, its own user and members of docket"
std::string LocalTrust::describe_trusted_users() const {
  std::string text = self_ == 0 ? "root" : "root and its own user";
  for (const std::string& group : settings_.groups) text += ", members of the group " + group;
  return text;
}

}  // namespace docket::http
