#include "http/access.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <optional>

namespace docket::http {
namespace {

constexpr std::string_view kSuperuser = "dcos:superuser";

constexpr std::array<std::pair<std::string_view, Action>, 5> kWords{{{"create", Action::kCreate},
                                                                     {"read", Action::kRead},
                                                                     {"update", Action::kUpdate},
                                                                     {"delete", Action::kDelete},
                                                                     {"full", Action::kFull}}};

std::optional<unsigned> action_of(std::string_view word) {
  for (const auto& [name, action] : kWords) {
    if (word == name) return static_cast<unsigned>(action);
  }
  return std::nullopt;
}

std::optional<unsigned> actions_of(std::string_view words) {
  unsigned actions = 0;
  for (std::size_t at = 0; at <= words.size();) {
    const auto comma = std::min(words.find(',', at), words.size());
    const auto action = action_of(words.substr(at, comma - at));
    if (!action) return std::nullopt;
    actions |= *action;
    at = comma + 1;
  }
  return actions;
}

bool is_digest(std::string_view text) {
  return text.size() == std::size_t{2} * SHA256_DIGEST_LENGTH &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The token in an Authorization header; empty when there is none.
std::string_view token_of(std::string_view authorization) {
  for (const std::string_view scheme : {"token=", "Bearer "}) {
    if (authorization.starts_with(scheme)) return authorization.substr(scheme.size());
  }
  return {};
}

IdentityPtr make_anyone() {
  Identity everyone("anyone");
  static_cast<void>(everyone.grant("dcos:superuser full"));
  return std::make_shared<const Identity>(std::move(everyone));
}

}  // namespace

std::string permission_for(std::string_view resource, Action action) {
  const auto word = std::ranges::find(kWords, action, [](const auto& pair) { return pair.second; });
  return std::string(resource) + " " + std::string(word->first);
}

bool covers(std::string_view granted, std::string_view resource) {
  if (!resource.starts_with(granted)) return false;
  return resource.size() == granted.size() || resource[granted.size()] == ':' ||
         resource[granted.size()] == '/';
}

Result<> Identity::grant(std::string_view permission) {
  const auto blank = permission.find(' ');
  const auto actions = blank == std::string_view::npos || blank == 0
                           ? std::nullopt
                           : actions_of(permission.substr(blank + 1));
  if (!actions) {
    return fail(ErrorKind::kInvalid,
                "expected \"RESOURCE ACTION[,ACTION...]\" with the actions create, read, update, "
                "delete or full, got \"" +
                    std::string(permission) + "\"");
  }
  const auto resource = permission.substr(0, blank);
  superuser_ |= resource == kSuperuser && *actions == static_cast<unsigned>(Action::kFull);
  permissions_.push_back({std::string(resource), *actions});
  return {};
}

bool Identity::may(std::string_view resource, Action action) const {
  if (superuser_) return true;
  unsigned allowed = 0;
  for (const Permission& permission : permissions_) {
    if (covers(permission.resource, resource)) allowed |= permission.actions;
  }
  const auto wanted = static_cast<unsigned>(action);
  return (allowed & wanted) == wanted;
}

const IdentityPtr& anyone() {
  static const IdentityPtr everyone = make_anyone();
  return everyone;
}

std::string token_digest(std::string_view token) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  const std::string bytes(token);
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kHex[byte >> 4U]);
    text.push_back(kHex[byte & 15U]);
  }
  return text;
}

Result<> AccessList::add(const std::string& digest, IdentityPtr identity) {
  if (!is_digest(digest)) {
    return fail(ErrorKind::kInvalid, "not a SHA-256 in lower-case hexadecimal: \"" + digest + "\"");
  }
  if (by_digest_.try_emplace(digest, std::move(identity)).second) return {};
  return fail(ErrorKind::kConflict, "duplicate token: " + digest);
}

IdentityPtr AccessList::identify(std::string_view authorization) const {
  const auto token = token_of(authorization);
  if (token.empty()) return nullptr;
  const auto found = by_digest_.find(token_digest(token));
  return found == by_digest_.end() ? nullptr : found->second;
}

int Gate::refusal(const IdentityPtr& identity, std::string_view method) const {
  if (resource.empty()) return 0;
  if (!identity) return 401;
  return identity->may(resource, action_for(method)) ? 0 : 403;
}

std::string Gate::wanted(std::string_view method) const {
  return permission_for(resource, action_for(method));
}

Action Gate::action_for(std::string_view method) const {
  return method == "GET" || method == "HEAD" ? read : write;
}

}  // namespace docket::http
