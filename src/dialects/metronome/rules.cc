#include "dialects/metronome/rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "kinds/process/spec.h"

namespace docket::metronome {
namespace {

using kinds::ProcessSpec;
using Names = std::set<std::string_view>;

constexpr std::int64_t kMinimumStartingDeadline = 60;  // seconds

constexpr const char* kBothDependenciesAndSchedules =
    "Jobs may not have both dependencies and schedules specified";

void check_command(const ProcessSpec& run, Complaints& complaints) {
  const bool has_command = run.cmd && !run.cmd->empty();
  const bool has_docker = run.docker && !run.docker->image.empty();
  if (!has_command && !has_docker && !run.ucr) {
    complaints.add("/run", "Cmd, Docker or UCR image must be specified");
  }
  if (run.docker && run.ucr) {
    complaints.add("/run", "Either Docker or UCR should be provided, but not both");
  }
}

Names referenced_secrets(const ProcessSpec& run) {
  Names names;
  for (const auto& [name, value] : run.env) {
    if (const auto* secret = std::get_if<kinds::SecretRef>(&value)) names.insert(secret->name);
  }
  for (const kinds::Volume& volume : run.volumes) {
    if (const auto* secret = std::get_if<kinds::SecretVolume>(&volume)) {
      names.insert(secret->secret);
    }
  }
  return names;
}

std::vector<std::string_view> missing_from(const Names& names, const Names& others) {
  std::vector<std::string_view> missing;
  std::ranges::set_difference(names, others, std::back_inserter(missing));
  return missing;
}

// One string: the two sentences are joined without a space, as in the original.
void check_secrets(const ProcessSpec& run, Complaints& complaints) {
  const Names referenced = referenced_secrets(run);
  Names defined;
  for (const auto& [name, source] : run.secrets) defined.insert(name);
  const auto undefined = missing_from(referenced, defined);
  const auto unused = missing_from(defined, referenced);
  std::string text;
  if (!undefined.empty()) {
    text += fmt::format(
        "The following secrets are referenced, but undefined: {}. "
        "Please add them to the secrets field.",
        fmt::join(undefined, ", "));
  }
  if (!unused.empty()) {
    text += fmt::format(
        "The following secrets are defined, but not referenced: {}. "
        "Please remove them from the secrets field.",
        fmt::join(unused, ", "));
  }
  if (!text.empty()) complaints.add("/run", std::move(text));
}

void check_containers(const ProcessSpec& run, Complaints& complaints) {
  if (run.gpus > 0 && run.docker) {
    complaints.add("/run/gpus", "GPUs are not supported with Docker");
  }
  const auto is_secret = [](const kinds::Volume& volume) {
    return std::holds_alternative<kinds::SecretVolume>(volume);
  };
  if (run.docker && std::ranges::any_of(run.volumes, is_secret)) {
    complaints.add("/run/volumes", "File based secrets are only supported by UCR");
  }
}

void check_network(const kinds::Network& network, const std::string& path, Complaints& complaints) {
  if (network.mode == "host") {
    if (!network.name.empty()) {
      complaints.add(path + "/name", "must be empty for host network");
    }
    if (!network.labels.empty()) {
      complaints.add(path + "/labels", "must be empty for host network");
    }
  } else if (network.mode == "container/bridge") {
    if (!network.name.empty()) {
      complaints.add(path + "/name", "must be empty for container/bridge networks");
    }
  } else if (network.name.empty()) {
    complaints.add(path + "/name", "must not be empty for container networks");
  }
}

void check_networks_together(const ProcessSpec& run, Complaints& complaints) {
  constexpr const char* kPath = "/run/networks";
  Names modes;
  Names names;
  std::size_t containers = 0;
  std::size_t named = 0;
  for (const kinds::Network& network : run.networks) {
    modes.insert(network.mode);
    if (network.mode != "container") continue;
    ++containers;
    if (network.name.empty()) continue;
    ++named;
    names.insert(network.name);
  }
  if (modes.size() > 1) {
    complaints.add(kPath,
                   "You may not mix host, container, or container/bridge networking. "
                   "Only define one kind of network.");
  }
  if (run.networks.size() > 1 && containers < run.networks.size()) {
    complaints.add(kPath, "Only one host or container/bridge network modes are allowed");
  }
  if (run.docker && containers > 1) {
    complaints.add(kPath, "Docker does not allow specification of multiple networks");
  }
  const bool joins = modes.contains("container") || modes.contains("container/bridge");
  if (joins && !run.docker && !run.ucr) {
    complaints.add(kPath, "Only containers may join container or bridge networks");
  }
  if (names.size() < named) complaints.add(kPath, "network names must be unique");
}

void check_run(const ProcessSpec& run, Complaints& complaints) {
  check_command(run, complaints);
  check_secrets(run, complaints);
  check_containers(run, complaints);
  check_networks_together(run, complaints);
  for (std::size_t i = 0; i < run.networks.size(); ++i) {
    check_network(run.networks[i], fmt::format("/run/networks({})", i), complaints);
  }
}

}  // namespace

void check_schedule_rules(const model::ScheduleDefinition& schedule, const std::string& path,
                          Complaints& complaints) {
  const std::int64_t seconds = schedule.starting_deadline_s;
  if (seconds >= kMinimumStartingDeadline) return;
  // The original's internal field name, without "Seconds": clients match it to a field of their
  // form.
  complaints.add(
      path + "/startingDeadline",
      fmt::format("got {} second{}, expected 1 minute or more", seconds, seconds == 1 ? "" : "s"));
}

void check_job_rules(const JobInput& job, Complaints& complaints) {
  check_run(kinds::process_of(job.definition.spec), complaints);
  if (job.schedules.size() > 1) {
    complaints.add("/schedules",
                   fmt::format("has size {}, expected 1 or less", job.schedules.size()));
  }
  for (std::size_t i = 0; i < job.schedules.size(); ++i) {
    check_schedule_rules(job.schedules[i], fmt::format("/schedules({})", i), complaints);
  }
  const auto& dependencies = job.definition.dependencies;
  if (Names(dependencies.begin(), dependencies.end()).size() < dependencies.size()) {
    complaints.add("/dependencies", "has double entries");
  }
  if (!dependencies.empty() && !job.schedules.empty()) {
    complaints.add("/", kBothDependenciesAndSchedules);
  }
}

Error dependencies_and_schedules() {
  return {.kind = ErrorKind::kInvalid,
          .message = "Object is not valid",
          .fields = {{"/", {kBothDependenciesAndSchedules}}}};
}

}  // namespace docket::metronome
