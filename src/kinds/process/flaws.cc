#include "kinds/process/flaws.h"

#include <fmt/format.h>

#include <variant>

#include "core/text.h"
#include "kinds/process/spec.h"
#include "model/pattern.h"
#include "model/secret_path.h"

namespace docket::kinds {
namespace {

// cmd is an argument too, of the shell.
const char* flaw_of_argument(std::string_view text) {
  if (text.size() > model::kExecTextMax) return model::kExecTextTooLong;
  return flaw_of(text, TextUse::kScript);
}

void check_command(const ProcessSpec& run, model::Flaws& flaws) {
  if (const char* flaw = run.cmd ? flaw_of_argument(*run.cmd) : nullptr)
    flaws.add(flaw, "/run/cmd");
  for (std::size_t i = 0; run.args && i < run.args->size(); ++i) {
    if (const char* flaw = flaw_of_argument((*run.args)[i])) flaws.add(flaw, "/run/args({})", i);
  }
  if (run.user) flaws.check(*run.user, TextUse::kName, "/run/user");
}

void check_environment(const ProcessSpec& run, model::Flaws& flaws) {
  for (const auto& [name, value] : run.env) {
    const auto* secret = std::get_if<SecretRef>(&value);
    const char* flaw = model::flaw_of_variable(name, secret ? "" : std::get<std::string>(value));
    if (flaw) flaws.add(flaw, "/run/env/{}", name);
  }
}

void check_secrets(const std::string& job_id, const ProcessSpec& run, model::Flaws& flaws) {
  for (const auto& [name, source] : run.secrets) {
    flaws.check(name, TextUse::kName, "/run/secrets/{}", name);
    flaws.check(source, TextUse::kName, "/run/secrets/{}/source", name);
    if (model::may_use_secret(job_id, source)) continue;
    flaws.add(fmt::format("belongs to group {}; a job may use secrets of its own path and above it",
                          model::secret_group(source)),
              "/run/secrets/{}/source", name);
  }
}

void check_constraints(const ProcessSpec& run, model::Flaws& flaws) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < run.constraints.size(); ++i) {
    const model::Constraint& constraint = run.constraints[i];
    flaws.check(constraint.attribute, TextUse::kName, "/run/placement/constraints({})/attribute",
                i);
    if (!constraint.value) continue;
    flaws.check(*constraint.value, TextUse::kName, "/run/placement/constraints({})/value", i);
    if (constraint.op == model::ConstraintOperator::kIs) continue;
    bytes += constraint.value->size();
    if (bytes > model::kPatternBytesMax) {
      return flaws.add(
          fmt::format("is too long: all patterns of a job may have at most {} bytes together",
                      model::kPatternBytesMax),
          "/run/placement/constraints({})/value", i);
    }
    if (const auto pattern = model::Pattern::compile(*constraint.value); !pattern)
      flaws.add(pattern.error().message, "/run/placement/constraints({})/value", i);
  }
}

const char* flaw_of_secret_file(std::string_view container_path) {
  if (const char* flaw = flaw_of(container_path, TextUse::kName)) return flaw;
  if (is_inner_path(model::secret_file(container_path))) return nullptr;
  return "must name a file below the working directory";
}

void check_volumes(const ProcessSpec& run, model::Flaws& flaws) {
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

void check_images(const ProcessSpec& run, model::Flaws& flaws) {
  if (run.ucr) flaws.check(run.ucr->image_id, TextUse::kName, "/run/ucr/image/id");
  if (!run.docker) return;
  flaws.check(run.docker->image, TextUse::kName, "/run/docker/image");
  for (std::size_t i = 0; i < run.docker->parameters.size(); ++i) {
    const auto& [key, value] = run.docker->parameters[i];
    flaws.check(key, TextUse::kName, "/run/docker/parameters({})/key", i);
    flaws.check(value, TextUse::kProse, "/run/docker/parameters({})/value", i);
  }
}

template <class Number>
void check_range(Number number, double least, double most, const char* path, model::Flaws& flaws) {
  const auto value = static_cast<double>(number);
  if (value >= least && value <= most) return;
  flaws.add(fmt::format("must be from {} to {:.0f}", least, most), "{}", path);
}

void check_restart(const Restart& restart, model::Flaws& flaws) {
  check_range(restart.active_deadline_s.value_or(0), -kSecondsMax, kSecondsMax,
              "/run/restart/activeDeadlineSeconds", flaws);
  check_range(restart.max_attempts.value_or(1), 1, kAttemptsMax, "/run/restart/maxAttempts", flaws);
  const Backoff backoff = restart.backoff.value_or(Backoff{});
  check_range(backoff.first_s, 0, kPauseMaxS, "/run/restart/backoff/firstSeconds", flaws);
  check_range(backoff.max_s, 0, kPauseMaxS, "/run/restart/backoff/maxSeconds", flaws);
}

void check_times(const ProcessSpec& run, model::Flaws& flaws) {
  check_range(run.max_launch_delay_s, 0, kSecondsMax, "/run/maxLaunchDelay", flaws);
  check_range(run.kill_grace_s.value_or(0), 0, kSecondsMax, "/run/taskKillGracePeriodSeconds",
              flaws);
  check_range(run.timeout_s.value_or(1), 1, kSecondsMax, "/run/timeoutSeconds", flaws);
  check_restart(run.restart, flaws);
}

void check_lists(const ProcessSpec& run, model::Flaws& flaws) {
  for (std::size_t i = 0; i < run.artifacts.size(); ++i)
    flaws.check(run.artifacts[i].uri, TextUse::kName, "/run/artifacts({})/uri", i);
  for (std::size_t i = 0; i < run.locks.size(); ++i)
    flaws.check(run.locks[i].name, TextUse::kName, "/run/locks({})/name", i);
  for (std::size_t i = 0; i < run.networks.size(); ++i) {
    flaws.check(run.networks[i].name, TextUse::kName, "/run/networks({})/name", i);
    model::check_labels(run.networks[i].labels, fmt::format("/run/networks({})/labels", i), flaws);
  }
}

}  // namespace

void check_process(const model::JobDefinition& definition, model::Flaws& flaws) {
  const ProcessSpec& run = process_of(definition.spec);
  check_command(run, flaws);
  check_environment(run, flaws);
  check_secrets(definition.id, run, flaws);
  check_constraints(run, flaws);
  check_volumes(run, flaws);
  check_images(run, flaws);
  check_lists(run, flaws);
  check_times(run, flaws);
}

}  // namespace docket::kinds
