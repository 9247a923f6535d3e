#include "model/codec.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "core/json.h"

namespace docket::model {
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

const char* name_of(ConstraintOperator op) {
  switch (op) {
    case ConstraintOperator::kLike:
      return "LIKE";
    case ConstraintOperator::kUnlike:
      return "UNLIKE";
    case ConstraintOperator::kIs:
      break;
  }
  return "IS";
}

void write_constraints(JsonWriter& out, const std::vector<Constraint>& constraints) {
  out.begin_object().key("constraints").begin_array();
  for (const Constraint& constraint : constraints) {
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
    if (!network.labels.empty()) {
      out.key("labels");
      write_string_map(out, network.labels);
    }
    out.end_object();
  }
  out.end_array();
}

void write_locks(JsonWriter& out, const std::vector<LockWish>& locks) {
  out.begin_array();
  for (const LockWish& lock : locks) {
    out.begin_object().member("name", lock.name);
    out.member("wait", lock.wait == LockWait::kQueue ? "queue" : "fail").end_object();
  }
  out.end_array();
}

// ---- reading

// Walks an object and collects complaints with their paths; every read has a default, so that one
// pass finds them all.
class ObjectReader {
 public:
  ObjectReader(const json::value& value, std::string path, std::vector<FieldError>& errors)
      : path_(std::move(path)), errors_(errors), object_(value.if_object()) {
    if (!object_) complain("", "error.expected.jsobject");
  }

  const json::value* find(std::string_view key) const {
    const json::value* value = object_ ? object_->if_contains(key) : nullptr;
    return value && !value->is_null() ? value : nullptr;
  }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  template <class T>
  void optional(std::string_view key, std::optional<T>& into) {
    if (!has(key)) return;
    into.emplace();
    field(key, *into);
  }
  template <class T>
  void required(std::string_view key, T& into) {
    if (!has(key)) return complain(key, "error.path.missing");
    field(key, into);
  }

  void field(std::string_view key, std::string& into) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_string()) return complain(key, "error.expected.jsstring");
    into = std::string_view(value->get_string());
  }
  void field(std::string_view key, bool& into) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_bool()) return complain(key, "error.expected.jsboolean");
    into = value->get_bool();
  }
  void field(std::string_view key, double& into) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_number()) return complain(key, "error.expected.jsnumber");
    into = value->to_number<double>();
  }
  // Fractions are cut off, as the reference's durations are.
  void field(std::string_view key, std::int64_t& into) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_number()) return complain(key, "error.expected.jsnumber");
    const double number = value->to_number<double>();
    if (std::fabs(number) > 9e15) return complain(key, "error.expected.long");
    into = static_cast<std::int64_t>(number);
  }
  void field(std::string_view key, std::vector<std::string>& into) {
    each(key, [&](const json::value& item, const std::string& path) {
      if (!item.is_string()) return complain_at(path, "error.expected.jsstring");
      into.emplace_back(std::string_view(item.get_string()));
    });
  }
  void field(std::string_view key, StringPairs& into) {
    members(key, [&](std::string name, const json::value& item, const std::string& path) {
      if (!item.is_string()) return complain_at(path, "error.expected.jsstring");
      into.emplace_back(std::move(name), std::string_view(item.get_string()));
    });
  }

  // visit(item, path) for each element of an array member.
  template <class Visit>
  void each(std::string_view key, Visit visit) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_array()) return complain(key, "error.expected.jsarray");
    std::size_t index = 0;
    for (const json::value& item : value->get_array()) {
      visit(item, fmt::format("{}/{}({})", path_, key, index++));
    }
  }
  // visit(name, value, path) for each member of an object member.
  template <class Visit>
  void members(std::string_view key, Visit visit) {
    const json::value* value = find(key);
    if (!value) return;
    if (!value->is_object()) return complain(key, "error.expected.jsobject");
    for (const auto& item : value->get_object()) {
      visit(std::string(item.key()), item.value(),
            fmt::format("{}/{}/{}", path_, key, std::string_view(item.key())));
    }
  }
  ObjectReader inside(std::string_view key) {
    static const json::value kEmpty = json::object();
    const json::value* value = find(key);
    return {value ? *value : kEmpty, at(key), errors_};
  }
  // The index of the text in names; complains and gives 0 for others.
  template <std::size_t N>
  std::size_t choice(std::string_view key, const char* const (&names)[N]) {
    std::string text = names[0];
    field(key, text);
    for (std::size_t i = 0; i < N; ++i) {
      if (text == names[i]) return i;
    }
    complain(key, "error.unknown.enum.literal");
    return 0;
  }

  std::string at(std::string_view key) const {
    return key.empty() ? path_ : fmt::format("{}/{}", path_, key);
  }
  void complain(std::string_view key, std::string error) { complain_at(at(key), std::move(error)); }
  void complain_at(std::string path, std::string error) {
    errors_.push_back({std::move(path), {std::move(error)}});
  }
  std::vector<FieldError>& errors() { return errors_; }

 private:
  std::string path_;
  std::vector<FieldError>& errors_;
  const json::object* object_;
};

void read_env(ObjectReader& in, ProcessSpec& spec) {
  in.members("env", [&](std::string name, const json::value& item, const std::string& path) {
    if (item.is_string()) {
      spec.env.emplace_back(std::move(name), std::string(item.get_string()));
      return;
    }
    SecretRef secret;
    ObjectReader(item, path, in.errors()).required("secret", secret.name);
    spec.env.emplace_back(std::move(name), std::move(secret));
  });
}

void read_secrets(ObjectReader& in, ProcessSpec& spec) {
  in.members("secrets", [&](std::string name, const json::value& item, const std::string& path) {
    std::string source;
    ObjectReader member(item, path, in.errors());
    member.required("source", source);
    if (member.has("source") && source.empty()) member.complain("source", "error.minLength");
    spec.secrets.emplace_back(std::move(name), std::move(source));
  });
}

void read_constraints(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kNames[] = {"IS", "LIKE", "UNLIKE", "EQ"};
  ObjectReader placement = in.inside("placement");
  placement.each("constraints", [&](const json::value& item, const std::string& path) {
    ObjectReader reader(item, path, in.errors());
    Constraint constraint;
    reader.required("attribute", constraint.attribute);
    const std::size_t op = reader.choice("operator", kNames);
    constraint.op = op == 3 ? ConstraintOperator::kIs : static_cast<ConstraintOperator>(op);
    reader.optional("value", constraint.value);
    spec.constraints.push_back(std::move(constraint));
  });
}

void read_artifacts(ObjectReader& in, ProcessSpec& spec) {
  in.each("artifacts", [&](const json::value& item, const std::string& path) {
    ObjectReader reader(item, path, in.errors());
    Artifact artifact;
    reader.required("uri", artifact.uri);
    reader.field("extract", artifact.extract);
    reader.field("executable", artifact.executable);
    reader.field("cache", artifact.cache);
    spec.artifacts.push_back(std::move(artifact));
  });
}

void read_docker(ObjectReader& in, ProcessSpec& spec) {
  if (!in.has("docker")) return;
  ObjectReader reader = in.inside("docker");
  Docker& docker = spec.docker.emplace();
  reader.required("image", docker.image);
  reader.field("forcePullImage", docker.force_pull_image);
  reader.field("privileged", docker.privileged);
  reader.each("parameters", [&](const json::value& item, const std::string& path) {
    ObjectReader parameter(item, path, in.errors());
    auto& [key, value] = docker.parameters.emplace_back();
    parameter.required("key", key);
    parameter.required("value", value);
  });
}

void read_ucr(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kKinds[] = {"docker", "appc"};
  if (!in.has("ucr")) return;
  ObjectReader reader = in.inside("ucr");
  Ucr& ucr = spec.ucr.emplace();
  if (!reader.has("image")) reader.complain("image", "error.path.missing");
  ObjectReader image = reader.inside("image");
  if (reader.has("image")) image.required("id", ucr.image_id);
  ucr.image_kind = kKinds[image.choice("kind", kKinds)];
  image.field("forcePull", ucr.force_pull);
  reader.field("privileged", ucr.privileged);
}

Volume read_volume(const json::value& item, const std::string& path,
                   std::vector<FieldError>& errors) {
  ObjectReader reader(item, path, errors);
  if (reader.has("secret")) {
    SecretVolume secret;
    reader.required("containerPath", secret.container_path);
    reader.required("secret", secret.secret);
    return secret;
  }
  HostVolume host;
  if (!reader.has("hostPath") || !reader.has("containerPath")) {
    reader.complain(
        "", fmt::format("expected HostVolume or SecretVolume object but got {}", to_json(item)));
    return host;
  }
  constexpr const char* kModes[] = {"RO", "RW"};
  reader.required("containerPath", host.container_path);
  reader.required("hostPath", host.host_path);
  host.mode = kModes[reader.choice("mode", kModes)];
  return host;
}

void read_volumes(ObjectReader& in, ProcessSpec& spec) {
  in.each("volumes", [&](const json::value& item, const std::string& path) {
    spec.volumes.push_back(read_volume(item, path, in.errors()));
  });
}

void read_restart(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kPolicies[] = {"NEVER", "ON_FAILURE"};
  if (!in.has("restart")) return;
  ObjectReader reader = in.inside("restart");
  spec.restart.policy = static_cast<RestartPolicy>(reader.choice("policy", kPolicies));
  reader.optional("activeDeadlineSeconds", spec.restart.active_deadline_s);
  reader.optional("maxAttempts", spec.restart.max_attempts);
  if (!reader.has("backoff")) return;
  ObjectReader backoff = reader.inside("backoff");
  spec.restart.backoff.emplace();
  backoff.field("firstSeconds", spec.restart.backoff->first_s);
  backoff.field("maxSeconds", spec.restart.backoff->max_s);
}

void read_networks(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kModes[] = {"host", "container/bridge", "container"};
  in.each("networks", [&](const json::value& item, const std::string& path) {
    ObjectReader reader(item, path, in.errors());
    Network network;
    network.mode = kModes[reader.choice("mode", kModes)];
    reader.field("name", network.name);
    reader.field("labels", network.labels);
    spec.networks.push_back(std::move(network));
  });
}

void read_locks(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kWaits[] = {"queue", "fail"};
  in.each("locks", [&](const json::value& item, const std::string& path) {
    ObjectReader reader(item, path, in.errors());
    LockWish wish;
    reader.required("name", wish.name);
    if (wish.name.empty()) reader.complain("name", "error.minLength");
    wish.wait = static_cast<LockWait>(reader.choice("wait", kWaits));
    spec.locks.push_back(std::move(wish));
  });
}

void read_on_lost(ObjectReader& in, ProcessSpec& spec) {
  constexpr const char* kChoices[] = {"fail", "restart"};
  spec.on_lost = static_cast<OnLost>(in.choice("onLost", kChoices));
}

constexpr const char* kLimits[] = {"all", "cpus", "mem", "none"};

void read_all(ObjectReader& in, ProcessSpec& spec) {
  in.field("cpus", spec.cpus);
  in.field("mem", spec.mem);
  in.field("disk", spec.disk);
  in.field("gpus", spec.gpus);
  in.optional("cmd", spec.cmd);
  in.optional("args", spec.args);
  in.optional("user", spec.user);
  read_env(in, spec);
  read_constraints(in, spec);
  read_artifacts(in, spec);
  in.field("maxLaunchDelay", spec.max_launch_delay_s);
  read_docker(in, spec);
  read_ucr(in, spec);
  read_volumes(in, spec);
  read_restart(in, spec);
  in.optional("taskKillGracePeriodSeconds", spec.kill_grace_s);
  read_secrets(in, spec);
  read_networks(in, spec);
  read_locks(in, spec);
  read_on_lost(in, spec);
  spec.limits = static_cast<Limits>(in.choice("limits", kLimits));
  in.optional("timeoutSeconds", spec.timeout_s);
}

}  // namespace

void write_string_map(JsonWriter& out, const StringPairs& pairs) {
  out.begin_object();
  for (const auto& [name, value] : pairs) out.member(name, value);
  out.end_object();
}

void write_process_spec(JsonWriter& out, const ProcessSpec& spec) {
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

Result<ProcessSpec> read_process_spec(const json::value& value, const std::string& path_prefix) {
  ProcessSpec spec;
  std::vector<FieldError> errors;
  ObjectReader reader(value, path_prefix, errors);
  read_all(reader, spec);
  if (errors.empty()) return spec;
  return fail(
      {.kind = ErrorKind::kInvalid, .message = "Object is not valid", .fields = std::move(errors)});
}

}  // namespace docket::model
