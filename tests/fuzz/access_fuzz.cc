// http/access: permissions allow what they say and nothing else, checked by an independent
// reading.

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/fuzz.h"
#include "http/access.h"

namespace docket::fuzz {
namespace {

using http::Action;

constexpr std::array<std::pair<std::string_view, Action>, 4> kActions{
    {{"create", Action::kCreate},
     {"read", Action::kRead},
     {"update", Action::kUpdate},
     {"delete", Action::kDelete}}};

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts(1);
  for (const char c : text) c == at ? parts.emplace_back() : parts.back() += c;
  return parts;
}

struct Permission {
  std::string resource;
  std::vector<std::string> words;

  bool allows(std::string_view wanted, std::string_view action) const {
    const bool below = wanted.size() > resource.size() &&
                       (wanted[resource.size()] == ':' || wanted[resource.size()] == '/');
    if (wanted.substr(0, resource.size()) != resource) return false;
    if (wanted != resource && !below) return false;
    return std::any_of(words.begin(), words.end(),
                       [&](const std::string& word) { return word == action || word == "full"; });
  }
  bool is_everything() const {
    const auto has = [this](std::string_view word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    return resource == "dcos:superuser" &&
           (has("full") || (has("create") && has("read") && has("update") && has("delete")));
  }
};

// Lines: the resource asked for, then permissions.
void run(std::string_view input) {
  const std::vector<std::string> lines = split(input, '\n');
  const std::string& wanted = lines.front();
  http::Identity identity("who");
  std::vector<Permission> granted;
  for (auto line = lines.begin() + 1; line != lines.end(); ++line) {
    if (!identity.grant(*line)) continue;
    const auto blank = line->find(' ');
    require(blank != std::string::npos && blank > 0, "a permission is a resource and actions");
    granted.push_back({line->substr(0, blank), split(line->substr(blank + 1), ',')});
  }
  const bool everything = std::any_of(granted.begin(), granted.end(),
                                      [](const Permission& each) { return each.is_everything(); });
  require(identity.is_superuser() == everything, "who may do everything", wanted);
  bool all = true;
  for (const auto& [word, action] : kActions) {
    const bool allowed = std::any_of(granted.begin(), granted.end(), [&](const Permission& each) {
      return each.allows(wanted, word);
    });
    require(identity.may(wanted, action) == (everything || allowed),
            "allowed is what was granted, and no more", wanted);
    all &= allowed;
  }
  require(identity.may(wanted, Action::kFull) == (everything || all), "full is all four", wanted);
}

const Target kTarget("access", run);

}  // namespace
}  // namespace docket::fuzz
