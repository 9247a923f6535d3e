#pragma once

// What the runner must be told to run one attempt: a command of this machine. Plain data, which
// kinds make and the runner carries out; in between it is a payload (engine/executor.h).

#include <optional>
#include <string>
#include <vector>

#include "core/string_pairs.h"
#include "core/time.h"

namespace docket::runner {

struct Artifact {
  std::string uri;  // http, https, file or an absolute path
  bool extract = true;
  bool executable = false;
  bool cache = false;
  bool operator==(const Artifact&) const = default;
};

struct SecretFile {
  std::string path;  // relative to the working directory
  std::string content;
};

// Holds secret values in memory only: never logged, never on disk.
struct LaunchSpec {
  std::optional<std::string> cmd;  // through /bin/sh -c; with args too, args become $0 $1 ...
  std::vector<std::string> args;   // direct exec when cmd is absent
  std::string user;                // empty: the server's own user
  StringPairs env;
  std::vector<SecretFile> secret_files;
  std::vector<Artifact> artifacts;
  double cpus = 0;                               // 0: not limited
  double mem_mib = 0;                            // 0: not limited
  double disk_mib = 0;                           // 0: not checked
  Duration kill_grace{std::chrono::seconds{3}};  // between SIGTERM and SIGKILL
};

}  // namespace docket::runner
