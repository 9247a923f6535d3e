#pragma once

// The record file of an attempt: lines appended as it lives, each by one write, so that a runner
// started after a kill -9 knows how far the attempt came. A line counts only with its newline.
// Lines, in order:
//
//   claim <boot id> <grace us> <disk MiB> <mem MiB> <cgroup slot or ->   before anything runs
//   secret <path>                           a secret file to remove at the end
//   spawn <pid>                             written by the child itself, just before exec
//   start <pid> <from ns> <to ns> <at us>   the child, made between two readings of the boot clock
//   end <code> <signal> <at us>             by the command's reaper (reaper.h), when it is over
//   exit <code> <signal> <oom> <started us> <finished us> <message>   everything is cleaned up
//   lost                                    the outcome cannot be known any more
//
// The file appears with its claim in it. "claim" without "spawn" on the same boot proves that
// nothing ran, so the token may start. Records are not synced: after a power loss one without an
// end means lost.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/executor.h"

namespace docket::runner {

struct ClaimRecord {
  std::string boot_id;
  Duration kill_grace{};
  double disk_mib = 0;
  double mem_mib = 0;
  std::string slot;  // empty: none
};

struct StartRecord {
  pid_t pid = 0;
  std::int64_t boot_ns_from =
      0;  // CLOCK_BOOTTIME before and after the clone: proves a pid's identity without
  std::int64_t boot_ns_to = 0;  // reading /proc at every start
  Time at = kNever;
};

struct EndRecord {
  int exit_code = 0;
  int signal = 0;
  Time at = kNever;
};

struct AttemptRecord {
  std::optional<ClaimRecord> claim;
  std::vector<std::string> secret_paths;
  bool spawned = false;
  pid_t spawned_pid = 0;
  std::optional<StartRecord> start;
  std::optional<EndRecord> end;
  std::optional<engine::AttemptReport> exit;
  bool lost = false;
};

std::string claim_line(const ClaimRecord& record);
std::string secret_line(std::string_view path);
std::string start_line(const StartRecord& record);
std::string exit_line(const engine::AttemptReport& report);
// Lines that are made without libc, in child.cc and reaper.cc.
inline constexpr std::string_view kSpawnWord = "spawn ";
inline constexpr std::string_view kEndWord = "end ";
inline constexpr std::string_view kLostLine = "lost\n";

AttemptRecord parse_record(TaskId token, std::string_view text);

}  // namespace docket::runner
