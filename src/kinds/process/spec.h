#pragma once

// What a process job runs: one command on one node. The field names, defaults and limits are those
// of DC/OS Jobs (reference/metronome.md section 3), which the native API shares; `locks`,
// `onLost` and `limits` are docket's own.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/string_pairs.h"
#include "exec/runner/launch.h"
#include "model/needs.h"
#include "model/spec.h"

namespace docket::kinds {

struct SecretRef {
  std::string name;  // key of ProcessSpec::secrets
  bool operator==(const SecretRef&) const = default;
};
using EnvValue = std::variant<std::string, SecretRef>;

using runner::Artifact;

struct Docker {
  std::string image;
  bool force_pull_image = false;
  bool privileged = false;
  StringPairs parameters;
  bool operator==(const Docker&) const = default;
};

struct Ucr {
  std::string image_id;
  std::string image_kind = "docker";  // docker | appc
  bool force_pull = false;
  bool privileged = false;
  bool operator==(const Ucr&) const = default;
};

struct HostVolume {
  std::string container_path;
  std::string host_path;
  std::string mode;  // RO | RW
  bool operator==(const HostVolume&) const = default;
};
struct SecretVolume {
  std::string container_path;
  std::string secret;  // key of ProcessSpec::secrets
  bool operator==(const SecretVolume&) const = default;
};
using Volume = std::variant<HostVolume, SecretVolume>;

struct Network {
  std::string mode;  // host | container/bridge | container
  std::string name;
  StringPairs labels;
  bool operator==(const Network&) const = default;
};

// Pauses between attempts: the first, then twice as long each time up to the longest.
struct Backoff {
  double first_s = 0.1;
  double max_s = 5;
  bool operator==(const Backoff&) const = default;
};

enum class RestartPolicy { kNever, kOnFailure };
struct Restart {
  RestartPolicy policy = RestartPolicy::kNever;
  std::optional<std::int64_t> active_deadline_s;  // from the run's creation; absent: for ever
  // docket's own. Without a backoff the second attempt comes at once, those after it by Backoff{}.
  std::optional<std::int64_t> max_attempts;  // with the first; absent: as many as it takes
  std::optional<Backoff> backoff;
  bool operator==(const Restart&) const = default;
};

enum class OnLost { kFail, kRestart };  // see ProcessSpec::on_lost

enum class Limits { kAll, kCpus, kMem, kNone };

struct ProcessSpec {
  double cpus = 1;   // cores
  double mem = 128;  // MiB
  double disk = 0;   // MiB
  std::int64_t gpus = 0;
  std::optional<std::string> cmd;
  std::optional<std::vector<std::string>> args;
  std::optional<std::string> user;
  std::vector<std::pair<std::string, EnvValue>> env;
  StringPairs secrets;  // name -> source path in the secret store
  std::vector<model::Constraint> constraints;
  std::vector<Artifact> artifacts;
  std::int64_t max_launch_delay_s = 3600;  // stored and echoed; without effect, as the seed says
  std::optional<Docker> docker;
  std::optional<Ucr> ucr;
  std::vector<Volume> volumes;
  Restart restart;
  std::optional<double> kill_grace_s;  // taskKillGracePeriodSeconds
  std::vector<Network> networks;
  std::vector<model::LockRequest> locks;
  // An attempt whose outcome cannot be known has failed like any other; kRestart starts it again
  // although the policy is NEVER, as long as the active deadline allows.
  OnLost on_lost = OnLost::kFail;
  // Whether cpus and mem, which are what it needs, are also the most that it gets.
  Limits limits = Limits::kAll;
  std::optional<std::int64_t> timeout_s;  // docket's own: a run that takes longer fails
  bool operator==(const ProcessSpec&) const = default;
};

// JSON in the field names and order of DC/OS Jobs, every default written out, absent optionals
// omitted; `locks`, `onLost`, `limits`, `timeoutSeconds` only when they say something.
void write_spec(JsonWriter& out, const ProcessSpec& spec);
// Reads what write_spec wrote, or a client's object. Absent members take their defaults.
ProcessSpec read_process_spec(JsonReader& in);

// The name of the kind.
inline constexpr const char* kProcess = "process";
model::Spec spec_of(ProcessSpec process);
// The body of a spec of this kind.
const ProcessSpec& process_of(const model::Spec& spec);
// Gives the spec a copy of its own, to be changed before the spec is shared.
ProcessSpec& change_process(model::Spec& spec);

}  // namespace docket::kinds
