#include "model/flaws.h"

#include <fmt/format.h>

#include <variant>

#include "core/text.h"
#include "model/pattern.h"
#include "model/secret_path.h"

namespace docket::model {
namespace {

constexpr const char* kTooLong = "must have at most 131071 bytes";
static_assert(kExecTextMax == 131071);

// A path is only put together for a flaw.
class Flaws {
 public:
  template <class... Args>
  void check(std::string_view text, TextUse use, fmt::format_string<Args...> path,
             const Args&... args) {
    if (const char* flaw = flaw_of(text, use)) add(flaw, path, args...);
  }
  template <class... Args>
  void add(std::string flaw, fmt::format_string<Args...> path, const Args&... args) {
    if (fields_.size() == kFlawsMax) return;
    fields_.push_back({fmt::vformat(path, fmt::make_format_args(args...)), {std::move(flaw)}});
  }
  std::vector<FieldError> take() { return std::move(fields_); }

 private:
  std::vector<FieldError> fields_;
};

// cmd is an argument too, of the shell.
const char* flaw_of_argument(std::string_view text) {
  if (text.size() > kExecTextMax) return kTooLong;
  return flaw_of(text, TextUse::kScript);
}

void check_command(const ProcessSpec& run, Flaws& flaws) {
  if (const char* flaw = run.cmd ? flaw_of_argument(*run.cmd) : nullptr)
    flaws.add(flaw, "/run/cmd");
  for (std::size_t i = 0; run.args && i < run.args->size(); ++i) {
    if (const char* flaw = flaw_of_argument((*run.args)[i])) flaws.add(flaw, "/run/args({})", i);
  }
  if (run.user) flaws.check(*run.user, TextUse::kName, "/run/user");
}

void check_environment(const ProcessSpec& run, Flaws& flaws) {
  for (const auto& [name, value] : run.env) {
    const auto* secret = std::get_if<SecretRef>(&value);
    const char* flaw = flaw_of_variable(name, secret ? "" : std::get<std::string>(value));
    if (flaw) flaws.add(flaw, "/run/env/{}", name);
  }
}

void check_secrets(const std::string& job_id, const ProcessSpec& run, Flaws& flaws) {
  for (const auto& [name, source] : run.secrets) {
    flaws.check(name, TextUse::kName, "/run/secrets/{}", name);
    flaws.check(source, TextUse::kName, "/run/secrets/{}/source", name);
    if (may_use_secret(job_id, source)) continue;
    flaws.add(fmt::format("belongs to group {}; a job may use secrets of its own path and above it",
                          secret_group(source)),
              "/run/secrets/{}/source", name);
  }
}

void check_constraints(const ProcessSpec& run, Flaws& flaws) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < run.constraints.size(); ++i) {
    const Constraint& constraint = run.constraints[i];
    flaws.check(constraint.attribute, TextUse::kName, "/run/placement/constraints({})/attribute",
                i);
    if (!constraint.value) continue;
    flaws.check(*constraint.value, TextUse::kName, "/run/placement/constraints({})/value", i);
    if (constraint.op == ConstraintOperator::kIs) continue;
    bytes += constraint.value->size();
    if (bytes > kPatternBytesMax) {
      return flaws.add(fmt::format("is too long: all patterns of a job may have {} bytes together",
                                   kPatternBytesMax),
                       "/run/placement/constraints({})/value", i);
    }
    if (const auto pattern = Pattern::compile(*constraint.value); !pattern)
      flaws.add(pattern.error().message, "/run/placement/constraints({})/value", i);
  }
}

const char* flaw_of_secret_file(std::string_view container_path) {
  if (const char* flaw = flaw_of(container_path, TextUse::kName)) return flaw;
  if (is_inner_path(secret_file(container_path))) return nullptr;
  return "must name a file below the working directory";
}

void check_volumes(const ProcessSpec& run, Flaws& flaws) {
  for (std::size_t i = 0; i < run.volumes.size(); ++i) {
    if (const auto* host = std::get_if<HostVolume>(&run.volumes[i])) {
      flaws.check(host->container_path, TextUse::kName, "/run/volumes({})/containerPath", i);
      flaws.check(host->host_path, TextUse::kName, "/run/volumes({})/hostPath", i);
    } else {
      const auto& secret = std::get<SecretVolume>(run.volumes[i]);
      if (const char* flaw = flaw_of_secret_file(secret.container_path))
        flaws.add(flaw, "/run/volumes({})/containerPath", i);
    }
  }
}

void check_images(const ProcessSpec& run, Flaws& flaws) {
  if (run.ucr) flaws.check(run.ucr->image_id, TextUse::kName, "/run/ucr/image/id");
  if (!run.docker) return;
  flaws.check(run.docker->image, TextUse::kName, "/run/docker/image");
  for (std::size_t i = 0; i < run.docker->parameters.size(); ++i) {
    const auto& [key, value] = run.docker->parameters[i];
    flaws.check(key, TextUse::kName, "/run/docker/parameters({})/key", i);
    flaws.check(value, TextUse::kProse, "/run/docker/parameters({})/value", i);
  }
}

void check_labels(const StringPairs& labels, const std::string& path, Flaws& flaws) {
  for (const auto& [name, value] : labels) {
    flaws.check(name, TextUse::kName, "{}/{}", path, name);
    flaws.check(value, TextUse::kProse, "{}/{}", path, name);
  }
}

template <class Number>
void check_range(Number number, double least, double most, const char* path, Flaws& flaws) {
  const auto value = static_cast<double>(number);
  if (value >= least && value <= most) return;
  flaws.add(fmt::format("must be from {} to {:.0f}", least, most), "{}", path);
}

void check_restart(const Restart& restart, Flaws& flaws) {
  check_range(restart.active_deadline_s.value_or(0), -kSecondsMax, kSecondsMax,
              "/run/restart/activeDeadlineSeconds", flaws);
  check_range(restart.max_attempts.value_or(1), 1, kAttemptsMax, "/run/restart/maxAttempts", flaws);
  const Backoff backoff = restart.backoff.value_or(Backoff{});
  check_range(backoff.first_s, 0, kPauseMaxS, "/run/restart/backoff/firstSeconds", flaws);
  check_range(backoff.max_s, 0, kPauseMaxS, "/run/restart/backoff/maxSeconds", flaws);
}

void check_times(const ProcessSpec& run, Flaws& flaws) {
  check_range(run.max_launch_delay_s, 0, kSecondsMax, "/run/maxLaunchDelay", flaws);
  check_range(run.kill_grace_s.value_or(0), 0, kSecondsMax, "/run/taskKillGracePeriodSeconds",
              flaws);
  check_range(run.timeout_s.value_or(1), 1, kSecondsMax, "/run/timeoutSeconds", flaws);
  check_restart(run.restart, flaws);
}

void check_lists(const ProcessSpec& run, Flaws& flaws) {
  for (std::size_t i = 0; i < run.artifacts.size(); ++i)
    flaws.check(run.artifacts[i].uri, TextUse::kName, "/run/artifacts({})/uri", i);
  for (std::size_t i = 0; i < run.locks.size(); ++i)
    flaws.check(run.locks[i].name, TextUse::kName, "/run/locks({})/name", i);
  for (std::size_t i = 0; i < run.networks.size(); ++i) {
    flaws.check(run.networks[i].name, TextUse::kName, "/run/networks({})/name", i);
    check_labels(run.networks[i].labels, fmt::format("/run/networks({})/labels", i), flaws);
  }
}

}  // namespace

const char* flaw_of_variable(std::string_view name, std::string_view value) {
  if (name.empty()) return "must have a name";
  if (name.find('=') != std::string_view::npos) return "must not have '=' in its name";
  if (flaw_of(name, TextUse::kName)) return "must not have control characters in its name";
  if (name.size() + 1 + value.size() > kExecTextMax) return kTooLong;
  return flaw_of(value, TextUse::kScript);
}

std::vector<FieldError> flaws_of(const JobDefinition& definition) {
  const auto& run = std::get<ProcessSpec>(definition.spec);
  Flaws flaws;
  if (definition.description) flaws.check(*definition.description, TextUse::kProse, "/description");
  check_labels(definition.labels, "/labels", flaws);
  check_command(run, flaws);
  check_environment(run, flaws);
  check_secrets(definition.id, run, flaws);
  check_constraints(run, flaws);
  check_volumes(run, flaws);
  check_images(run, flaws);
  check_lists(run, flaws);
  check_times(run, flaws);
  return flaws.take();
}

std::vector<FieldError> flaws_of(const RunParameters& parameters) {
  Flaws flaws;
  for (const auto& [name, value] : parameters.env) {
    if (const char* flaw = flaw_of_variable(name, value)) flaws.add(flaw, "/env/{}", name);
  }
  flaws.check(parameters.description, TextUse::kProse, "/description");
  return flaws.take();
}

}  // namespace docket::model
