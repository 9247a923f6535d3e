#include "core/json_reader.h"
#include "core/json_writer.h"
#include "kinds/process/spec.h"

namespace docket::kinds {
namespace {

namespace json = boost::json;

// ---- writing

void write_env(JsonWriter& out, const std::vector<std::pair<std::string, EnvValue>>& env) {
  out.begin_object();
  for (const auto& [name, value] : env) {
    out.key(name);
    if (const auto* text = std::get_if<std::string>(&value)) {
      out.value(*text);
    } else {
      out.begin_object().member("secret", std::get<SecretRef>(value).name).end_object();
    }
  }
  out.end_object();
}

void write_secrets(JsonWriter& out, const StringPairs& secrets) {
  out.begin_object();
  for (const auto& [name, source] : secrets) {
    out.key(name).begin_object().member("source", source).end_object();
  }
  out.end_object();
}

const char* name_of(model::ConstraintOperator op) {
  switch (op) {
    case model::ConstraintOperator::kLike:
      return "LIKE";
    case model::ConstraintOperator::kUnlike:
      return "UNLIKE";
    case model::ConstraintOperator::kIs:
      break;
  }
  return "IS";
}

void write_constraints(JsonWriter& out, const std::vector<model::Constraint>& constraints) {
  out.begin_object().key("constraints").begin_array();
  for (const model::Constraint& constraint : constraints) {
    out.begin_object().member("attribute", constraint.attribute);
    out.member("operator", name_of(constraint.op));
    if (constraint.value) out.member("value", *constraint.value);
    out.end_object();
  }
  out.end_array().end_object();
}

void write_artifacts(JsonWriter& out, const std::vector<Artifact>& artifacts) {
  out.begin_array();
  for (const Artifact& artifact : artifacts) {
    out.begin_object().member("uri", artifact.uri).member("extract", artifact.extract);
    out.member("executable", artifact.executable).member("cache", artifact.cache).end_object();
  }
  out.end_array();
}

void write_docker(JsonWriter& out, const Docker& docker) {
  out.begin_object().member("image", docker.image);
  out.member("forcePullImage", docker.force_pull_image).member("privileged", docker.privileged);
  out.key("parameters").begin_array();
  for (const auto& [key, value] : docker.parameters) {
    out.begin_object().member("key", key).member("value", value).end_object();
  }
  out.end_array().end_object();
}

void write_ucr(JsonWriter& out, const Ucr& ucr) {
  out.begin_object().key("image").begin_object().member("id", ucr.image_id);
  out.member("kind", ucr.image_kind).member("forcePull", ucr.force_pull).end_object();
  out.member("privileged", ucr.privileged).end_object();
}

void write_volumes(JsonWriter& out, const std::vector<Volume>& volumes) {
  out.begin_array();
  for (const Volume& volume : volumes) {
    out.begin_object();
    if (const auto* host = std::get_if<HostVolume>(&volume)) {
      out.member("containerPath", host->container_path).member("hostPath", host->host_path);
      out.member("mode", host->mode);
    } else {
      const auto& secret = std::get<SecretVolume>(volume);
      out.member("containerPath", secret.container_path).member("secret", secret.secret);
    }
    out.end_object();
  }
  out.end_array();
}

void write_restart(JsonWriter& out, const Restart& restart) {
  out.begin_object();
  out.member("policy", restart.policy == RestartPolicy::kNever ? "NEVER" : "ON_FAILURE");
  if (restart.active_deadline_s) out.member("activeDeadlineSeconds", *restart.active_deadline_s);
  if (restart.max_attempts) out.member("maxAttempts", *restart.max_attempts);
  if (restart.backoff) {
    out.key("backoff").begin_object().member("firstSeconds", restart.backoff->first_s);
    out.member("maxSeconds", restart.backoff->max_s).end_object();
  }
  out.end_object();
}

void write_networks(JsonWriter& out, const std::vector<Network>& networks) {
  out.begin_array();
  for (const Network& network : networks) {
    out.begin_object().member("mode", network.mode);
    if (!network.name.empty()) out.member("name", network.name);
    if (!network.labels.empty()) out.member("labels", network.labels);
    out.end_object();
  }
  out.end_array();
}

void write_locks(JsonWriter& out, const std::vector<model::LockRequest>& locks) {
  out.begin_array();
  for (const model::LockRequest& lock : locks) {
    out.begin_object().member("name", lock.name);
    out.member("wait", lock.wait == model::LockWait::kQueue ? "queue" : "fail").end_object();
  }
  out.end_array();
}

// ---- reading

void read_env(JsonReader& in, ProcessSpec& spec) {
  in.each_member("env", [&](std::string name, const json::value& value, const auto& open) {
    if (value.is_string()) {
      spec.env.emplace_back(std::move(name), std::string(value.get_string()));
      return;
    }
    JsonReader member = open();
    SecretRef secret;
    member.read_required("secret", secret.name);
    member.finish();
    spec.env.emplace_back(std::move(name), std::move(secret));
  });
}

void read_secrets(JsonReader& in, ProcessSpec& spec) {
  in.each_member("secrets", [&](std::string name, const json::value&, const auto& open) {
    JsonReader member = open();
    std::string source;
    member.read_required("source", source);
    if (member.has("source") && source.empty()) member.complain("source", JsonFlaw::kEmpty);
    member.finish();
    spec.secrets.emplace_back(std::move(name), std::move(source));
  });
}

void read_constraints(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kNames[] = {"IS", "LIKE", "UNLIKE", "EQ"};
  JsonReader placement = in.inside("placement");
  placement.each("constraints", [&](JsonReader& reader) {
    model::Constraint constraint;
    reader.read_required("attribute", constraint.attribute);
    const std::size_t op = reader.choice("operator", kNames);
    constraint.op =
        op == 3 ? model::ConstraintOperator::kIs : static_cast<model::ConstraintOperator>(op);
    reader.read("value", constraint.value);
    reader.finish();
    spec.constraints.push_back(std::move(constraint));
  });
  placement.finish();
}

void read_artifacts(JsonReader& in, ProcessSpec& spec) {
  in.each("artifacts", [&](JsonReader& reader) {
    Artifact artifact;
    reader.read_required("uri", artifact.uri);
    reader.read("extract", artifact.extract);
    reader.read("executable", artifact.executable);
    reader.read("cache", artifact.cache);
    reader.finish();
    spec.artifacts.push_back(std::move(artifact));
  });
}

void read_docker(JsonReader& in, ProcessSpec& spec) {
  if (!in.has("docker")) return;
  JsonReader reader = in.inside("docker");
  Docker& docker = spec.docker.emplace();
  reader.read_required("image", docker.image);
  reader.read("forcePullImage", docker.force_pull_image);
  reader.read("privileged", docker.privileged);
  reader.each("parameters", [&](JsonReader& parameter) {
    auto& [key, value] = docker.parameters.emplace_back();
    parameter.read_required("key", key);
    parameter.read_required("value", value);
    parameter.finish();
  });
  reader.finish();
}

void read_ucr(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kKinds[] = {"docker", "appc"};
  if (!in.has("ucr")) return;
  JsonReader reader = in.inside("ucr");
  Ucr& ucr = spec.ucr.emplace();
  reader.require("image");
  JsonReader image = reader.inside("image");
  if (reader.has("image")) image.read_required("id", ucr.image_id);
  ucr.image_kind = kKinds[image.choice("kind", kKinds)];
  image.read("forcePull", ucr.force_pull);
  image.finish();
  reader.read("privileged", ucr.privileged);
  reader.finish();
}

Volume read_volume(JsonReader& reader) {
  for (const char* of_either : {"containerPath", "hostPath", "mode", "secret"})
    reader.find(of_either);  // a member of the other sort of volume is not unknown
  if (reader.has("secret")) {
    SecretVolume secret;
    reader.read_required("containerPath", secret.container_path);
    reader.read_required("secret", secret.secret);
    return secret;
  }
  constexpr const char* kModes[] = {"RO", "RW"};
  HostVolume host;
  const bool whole =
      reader.read("containerPath", host.container_path) && reader.read("hostPath", host.host_path);
  host.mode = kModes[reader.choice("mode", kModes)];
  if (!whole && reader.is_object()) {
    reader.complain_of_this(
        "must have containerPath with hostPath and mode, or containerPath with secret");
  }
  return host;
}

void read_volumes(JsonReader& in, ProcessSpec& spec) {
  in.each("volumes", [&](JsonReader& reader) {
    spec.volumes.push_back(read_volume(reader));
    reader.finish();
  });
}

void read_restart(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kPolicies[] = {"NEVER", "ON_FAILURE"};
  if (!in.has("restart")) return;
  JsonReader reader = in.inside("restart");
  spec.restart.policy = static_cast<RestartPolicy>(reader.choice("policy", kPolicies));
  reader.read("activeDeadlineSeconds", spec.restart.active_deadline_s);
  reader.read("maxAttempts", spec.restart.max_attempts);
  if (reader.has("backoff")) {
    JsonReader backoff = reader.inside("backoff");
    spec.restart.backoff.emplace();
    backoff.read("firstSeconds", spec.restart.backoff->first_s);
    backoff.read("maxSeconds", spec.restart.backoff->max_s);
    backoff.finish();
  }
  reader.finish();
}

void read_networks(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kModes[] = {"host", "container/bridge", "container"};
  in.each("networks", [&](JsonReader& reader) {
    Network network;
    network.mode = kModes[reader.choice("mode", kModes)];
    reader.read("name", network.name);
    reader.read("labels", network.labels);
    reader.finish();
    spec.networks.push_back(std::move(network));
  });
}

void read_locks(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kWaits[] = {"queue", "fail"};
  in.each("locks", [&](JsonReader& reader) {
    model::LockRequest request;
    reader.read_required("name", request.name);
    if (request.name.empty()) reader.complain("name", JsonFlaw::kEmpty);
    request.wait = static_cast<model::LockWait>(reader.choice("wait", kWaits));
    reader.finish();
    spec.locks.push_back(std::move(request));
  });
}

void read_on_lost(JsonReader& in, ProcessSpec& spec) {
  constexpr const char* kChoices[] = {"fail", "restart"};
  spec.on_lost = static_cast<OnLost>(in.choice("onLost", kChoices));
}

constexpr const char* kLimits[] = {"all", "cpus", "mem", "none"};

}  // namespace

void write_spec(JsonWriter& out, const ProcessSpec& spec) {
  out.begin_object();
  out.member("cpus", spec.cpus).member("mem", spec.mem).member("disk", spec.disk);
  out.member("gpus", spec.gpus);
  if (spec.cmd) out.member("cmd", *spec.cmd);
  if (spec.args) {
    out.key("args").begin_array();
    for (const std::string& arg : *spec.args) out.value(arg);
    out.end_array();
  }
  if (spec.user) out.member("user", *spec.user);
  write_env(out.key("env"), spec.env);
  write_constraints(out.key("placement"), spec.constraints);
  write_artifacts(out.key("artifacts"), spec.artifacts);
  out.member("maxLaunchDelay", spec.max_launch_delay_s);
  if (spec.docker) write_docker(out.key("docker"), *spec.docker);
  if (spec.ucr) write_ucr(out.key("ucr"), *spec.ucr);
  write_volumes(out.key("volumes"), spec.volumes);
  write_restart(out.key("restart"), spec.restart);
  if (spec.kill_grace_s) out.member("taskKillGracePeriodSeconds", *spec.kill_grace_s);
  write_secrets(out.key("secrets"), spec.secrets);
  write_networks(out.key("networks"), spec.networks);
  if (!spec.locks.empty()) write_locks(out.key("locks"), spec.locks);
  if (spec.on_lost == OnLost::kRestart) out.member("onLost", "restart");
  if (spec.limits != Limits::kAll) out.member("limits", kLimits[static_cast<int>(spec.limits)]);
  if (spec.timeout_s) out.member("timeoutSeconds", *spec.timeout_s);
  out.end_object();
}

ProcessSpec read_process_spec(JsonReader& in) {
  ProcessSpec spec;
  in.read("cpus", spec.cpus);
  in.read("mem", spec.mem);
  in.read("disk", spec.disk);
  in.read("gpus", spec.gpus);
  in.read("cmd", spec.cmd);
  in.read("args", spec.args);
  in.read("user", spec.user);
  read_env(in, spec);
  read_constraints(in, spec);
  read_artifacts(in, spec);
  in.read("maxLaunchDelay", spec.max_launch_delay_s);
  read_docker(in, spec);
  read_ucr(in, spec);
  read_volumes(in, spec);
  read_restart(in, spec);
  in.read("taskKillGracePeriodSeconds", spec.kill_grace_s);
  read_secrets(in, spec);
  read_networks(in, spec);
  read_locks(in, spec);
  read_on_lost(in, spec);
  spec.limits = static_cast<Limits>(in.choice("limits", kLimits));
  in.read("timeoutSeconds", spec.timeout_s);
  in.finish();
  return spec;
}

}  // namespace docket::kinds
