#pragma once

// The payload of the ssh executor: one job's work on one node.

#include <cstdint>
#include <string>

#include "core/string_pairs.h"

namespace docket::ssh {

inline constexpr const char* kName = "ssh";  // of the executor

struct NodeWork {
  std::string host;
  std::uint16_t port = 22;
  std::string login_user = "root";
  std::string become_mode = "direct";  // or sudo, su
  std::string become_user = "root";
  StringPairs secrets =
      {};  // by the names of the credential's members; never logged, never in argv
  std::string job_type = {};  // install, configure, upgrade, restart
  std::string product = {};   // as the profile names it: "6.8.36", "redis-7.0.15"
  std::string settings = {};  // a JSON object: properties by file, of all levels merged
  bool dry_run = false;
};

}  // namespace docket::ssh
