#include "dialects/native/read_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <span>
#include <string_view>

#include "dialects/native/body.h"
#include "model/codec.h"

namespace docket::native {
namespace {

namespace json = boost::json;
using model::ProcessSpec;

// ---- members that do not exist

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 22> kRun{"cpus",
                                                "mem",
                                                "disk",
                                                "gpus",
                                                "cmd",
                                                "args",
                                                "user",
                                                "env",
                                                "secrets",
                                                "placement",
                                                "artifacts",
                                                "maxLaunchDelay",
                                                "docker",
                                                "ucr",
                                                "volumes",
                                                "restart",
                                                "taskKillGracePeriodSeconds",
                                                "networks",
                                                "locks",
                                                "onLost",
                                                "limits",
                                                "timeoutSeconds"};
constexpr std::array<std::string_view, 1> kPlacement{"constraints"};
constexpr std::array<std::string_view, 3> kConstraint{"attribute", "operator", "value"};
constexpr std::array<std::string_view, 4> kArtifact{"uri", "extract", "executable", "cache"};
constexpr std::array<std::string_view, 4> kDocker{"image", "forcePullImage", "privileged",
                                                  "parameters"};
constexpr std::array<std::string_view, 2> kParameter{"key", "value"};
constexpr std::array<std::string_view, 2> kUcr{"image", "privileged"};
constexpr std::array<std::string_view, 3> kUcrImage{"id", "kind", "forcePull"};
constexpr std::array<std::string_view, 4> kVolume{"containerPath", "hostPath", "mode", "secret"};
constexpr std::array<std::string_view, 4> kRestart{"policy", "activeDeadlineSeconds", "maxAttempts",
                                                   "backoff"};
constexpr std::array<std::string_view, 2> kBackoff{"firstSeconds", "maxSeconds"};
constexpr std::array<std::string_view, 3> kNetwork{"mode", "name", "labels"};
constexpr std::array<std::string_view, 2> kLock{"name", "wait"};

// Where objects are inside `run`, and what they may hold. An inner path crosses arrays without
// saying so.
struct Shape {
  std::array<std::string_view, 2> path;
  Names names;
};
constexpr std::array<Shape, 13> kShapes{{{{"", ""}, kRun},
                                         {{"placement", ""}, kPlacement},
                                         {{"placement", "constraints"}, kConstraint},
                                         {{"artifacts", ""}, kArtifact},
                                         {{"docker", ""}, kDocker},
                                         {{"docker", "parameters"}, kParameter},
                                         {{"ucr", ""}, kUcr},
                                         {{"ucr", "image"}, kUcrImage},
                                         {{"volumes", ""}, kVolume},
                                         {{"restart", ""}, kRestart},
                                         {{"restart", "backoff"}, kBackoff},
                                         {{"networks", ""}, kNetwork},
                                         {{"locks", ""}, kLock}}};

// Follows steps from value and checks the objects at their end. At most two steps and the arrays
// between: the depth is bounded by the table.
void check_names(const json::value& value, const std::string& at,
                 std::span<const std::string_view> steps, Names names,
                 std::vector<FieldError>& errors) {
  if (const auto* array = value.if_array()) {
    for (std::size_t i = 0; i < array->size(); ++i) {
      if ((*array)[i].is_object()) {
        check_names((*array)[i], fmt::format("{}/{}", at, i), steps, names, errors);
      }
    }
    return;
  }
  const auto* object = value.if_object();
  if (!object) return;
  if (!steps.empty() && !steps.front().empty()) {
    const json::value* next = object->if_contains(steps.front());
    if (next) {
      check_names(*next, fmt::format("{}/{}", at, steps.front()), steps.subspan(1), names, errors);
    }
    return;
  }
  for (const auto& member : *object) {
    if (std::find(names.begin(), names.end(), std::string_view(member.key())) == names.end()) {
      errors.push_back({.path = fmt::format("{}/{}", at, std::string_view(member.key())),
                        .errors = {"is not a known member"}});
    }
  }
}

// ---- the codec's complaints in the words and paths of this door

struct Wording {
  std::string_view codec;
  const char* ours;
};
constexpr std::array kWordings{
    Wording{"error.path.missing", "is required"},
    Wording{"error.expected.jsobject", "must be an object"},
    Wording{"error.expected.jsarray", "must be an array"},
    Wording{"error.expected.jsstring", "must be a string"},
    Wording{"error.expected.jsboolean", "must be true or false"},
    Wording{"error.expected.jsnumber", "must be a number"},
    Wording{"error.expected.long", "must be a whole number"},
    Wording{"error.minLength", "must not be empty"},
    Wording{"error.unknown.enum.literal", "is not one of the known words"},
};

std::string in_our_words(const std::string& error) {
  for (const Wording& wording : kWordings) {
    if (wording.codec == error) return wording.ours;
  }
  if (error.starts_with("expected HostVolume")) {
    return "must have containerPath with hostPath and mode, or containerPath with secret";
  }
  return error;
}

// ---- rules between members, and limits (reference/metronome.md sections 2 and 3)

class Rules {
 public:
  Rules(const ProcessSpec& spec, std::string path, std::vector<FieldError>& errors)
      : spec_(spec), path_(std::move(path)), errors_(errors) {}

  void check() {
    check_numbers();
    check_what_runs();
    check_secrets();
    check_networks();
    check_locks();
  }

 private:
  void complain(std::string_view name, std::string message) {
    errors_.push_back({.path = path_ + std::string(name), .errors = {std::move(message)}});
  }

  void check_numbers() {
    if (spec_.cpus < 0.01) complain("/cpus", "must be at least 0.01");
    if (spec_.mem < 32) complain("/mem", "must be at least 32");
    if (spec_.disk < 0) complain("/disk", "must not be negative");
    if (spec_.gpus < 0) complain("/gpus", "must not be negative");
    if (spec_.max_launch_delay_s < 1) complain("/maxLaunchDelay", "must be at least 1");
    if (spec_.kill_grace_s.value_or(0) < 0) {
      complain("/taskKillGracePeriodSeconds", "must not be negative");
    }
    if (spec_.restart.active_deadline_s.value_or(1) < 0) {
      complain("/restart/activeDeadlineSeconds", "must not be negative");
    }
  }

  void check_what_runs() {
    const bool image = (spec_.docker && !spec_.docker->image.empty()) || spec_.ucr;
    if (spec_.docker && spec_.ucr) complain("", "must not have both docker and ucr");
    if (spec_.cmd && spec_.cmd->empty()) complain("/cmd", "must not be empty");
    const bool args = spec_.args && !spec_.args->empty();
    if (!spec_.cmd && !args && !image) complain("", "must have cmd, args, docker or ucr");
    if (spec_.docker && spec_.gpus > 0) complain("/gpus", "must be 0 with docker");
  }

  void check_secrets() {
    std::set<std::string> defined;
    std::set<std::string> used;
    for (const auto& [name, source] : spec_.secrets) defined.insert(name);
    for (const auto& [name, value] : spec_.env) {
      if (const auto* secret = std::get_if<model::SecretRef>(&value)) used.insert(secret->name);
    }
    for (const auto& volume : spec_.volumes) {
      if (const auto* secret = std::get_if<model::SecretVolume>(&volume))
        used.insert(secret->secret);
    }
    for (const std::string& name : used) {
      if (!defined.contains(name))
        complain("/secrets", fmt::format("has no '{}', which is used", name));
    }
    for (const std::string& name : defined) {
      if (!used.contains(name)) complain("/secrets/" + name, "is not used");
    }
  }

  void check_networks() {
    for (std::size_t i = 0; i < spec_.networks.size(); ++i) {
      const model::Network& network = spec_.networks[i];
      const auto at = fmt::format("/networks/{}", i);
      const bool named = network.mode == "container";
      if (named && network.name.empty()) complain(at + "/name", "is required with mode container");
      if (!named && !network.name.empty()) complain(at + "/name", "is for mode container only");
      if (network.mode != spec_.networks.front().mode)
        complain(at + "/mode", "differs from the first network's");
    }
  }

  void check_locks() {
    std::set<std::string> names;
    for (std::size_t i = 0; i < spec_.locks.size(); ++i) {
      if (!names.insert(spec_.locks[i].name).second) {
        complain(fmt::format("/locks/{}/name", i), "is named twice");
      }
    }
  }

  const ProcessSpec& spec_;
  std::string path_;
  std::vector<FieldError>& errors_;
};

// What was not asked for limits nothing: the defaults are for the queue.
model::Limits limits_of(const json::value& run) {
  const json::object& object = run.get_object();
  using enum model::Limits;
  if (object.contains("cpus")) return object.contains("mem") ? kAll : kCpus;
  return object.contains("mem") ? kMem : kNone;
}

}  // namespace

ProcessSpec read_run(const json::value& value, const std::string& path,
                     std::vector<FieldError>& errors) {
  for (const Shape& shape : kShapes) check_names(value, path, shape.path, shape.names, errors);
  auto spec = model::read_process_spec(value, path);
  if (spec) {
    if (!value.get_object().contains("limits")) spec->limits = limits_of(value);
    Rules(*spec, path, errors).check();
    return *std::move(spec);
  }
  for (const FieldError& field : spec.error().fields) {
    FieldError& error =
        errors.emplace_back(FieldError{.path = to_pointer(field.path), .errors = {}});
    for (const std::string& text : field.errors) error.errors.push_back(in_our_words(text));
  }
  return {};
}

}  // namespace docket::native
