#include "dialects/native/read_run.h"

#include <fmt/format.h>

#include <set>

#include "core/json_reader.h"
#include "kinds/process/spec.h"

namespace docket::native {
namespace {

using kinds::ProcessSpec;

// Rules between members, and limits (reference/metronome.md sections 2 and 3).
class Rules {
 public:
  Rules(const ProcessSpec& spec, JsonReader& in) : spec_(spec), in_(in), at_(in.path()) {}

  void check() {
    check_numbers();
    check_what_runs();
    check_secrets();
    check_networks();
    check_locks();
  }

 private:
  void complain(const JsonPath& at, std::string message) {
    in_.complain_at(at, std::move(message));
  }

  void check_numbers() {
    if (spec_.cpus < 0.01) complain(at_ / "cpus", "must be at least 0.01");
    if (spec_.mem < 32) complain(at_ / "mem", "must be at least 32");
    if (spec_.disk < 0) complain(at_ / "disk", "must not be negative");
    if (spec_.gpus < 0) complain(at_ / "gpus", "must not be negative");
    if (spec_.max_launch_delay_s < 1) complain(at_ / "maxLaunchDelay", "must be at least 1");
    if (spec_.kill_grace_s.value_or(0) < 0) {
      complain(at_ / "taskKillGracePeriodSeconds", "must not be negative");
    }
    if (spec_.restart.active_deadline_s.value_or(1) < 0) {
      complain(at_ / "restart" / "activeDeadlineSeconds", "must not be negative");
    }
  }

  void check_what_runs() {
    const bool image = (spec_.docker && !spec_.docker->image.empty()) || spec_.ucr;
    if (spec_.docker && spec_.ucr) complain(at_, "must not have both docker and ucr");
    if (spec_.cmd && spec_.cmd->empty()) complain(at_ / "cmd", "must not be empty");
    const bool args = spec_.args && !spec_.args->empty();
    if (!spec_.cmd && !args && !image) complain(at_, "must have cmd, args, docker or ucr");
    if (spec_.docker && spec_.gpus > 0) complain(at_ / "gpus", "must be 0 with docker");
  }

  void check_secrets() {
    std::set<std::string> defined;
    std::set<std::string> used;
    for (const auto& [name, source] : spec_.secrets) defined.insert(name);
    for (const auto& [name, value] : spec_.env) {
      if (const auto* secret = std::get_if<kinds::SecretRef>(&value)) used.insert(secret->name);
    }
    for (const auto& volume : spec_.volumes) {
      if (const auto* secret = std::get_if<kinds::SecretVolume>(&volume))
        used.insert(secret->secret);
    }
    for (const std::string& name : used) {
      if (!defined.contains(name))
        complain(at_ / "secrets", fmt::format("has no '{}', which is used", name));
    }
    for (const std::string& name : defined) {
      if (!used.contains(name)) complain(at_ / "secrets" / name, "is not used");
    }
  }

  void check_networks() {
    for (std::size_t i = 0; i < spec_.networks.size(); ++i) {
      const kinds::Network& network = spec_.networks[i];
      const JsonPath at = at_ / "networks" / i;
      const bool named = network.mode == "container";
      if (named && network.name.empty()) complain(at / "name", "is required with mode container");
      if (!named && !network.name.empty()) complain(at / "name", "is for mode container only");
      if (network.mode != spec_.networks.front().mode)
        complain(at / "mode", "differs from the first network's");
    }
  }

  void check_locks() {
    std::set<std::string> names;
    for (std::size_t i = 0; i < spec_.locks.size(); ++i) {
      if (!names.insert(spec_.locks[i].name).second) {
        complain(at_ / "locks" / i / "name", "is named twice");
      }
    }
  }

  const ProcessSpec& spec_;
  JsonReader& in_;
  const JsonPath at_;
};

// Only resources named in the body are limits; the defaults serve queueing alone.
kinds::Limits limits_of(JsonReader& run) {
  using enum kinds::Limits;
  if (run.has("cpus")) return run.has("mem") ? kAll : kCpus;
  return run.has("mem") ? kMem : kNone;
}

}  // namespace

ProcessSpec read_run(JsonReader& in) {
  const std::size_t before = in.complaints();
  ProcessSpec spec = kinds::read_process_spec(in);
  if (!in.has("limits")) spec.limits = limits_of(in);
  const bool whole = in.is_object() && !in.complaints_beside(JsonFlaw::kUnknownMember, before);
  if (whole) Rules(spec, in).check();
  return spec;
}

}  // namespace docket::native
