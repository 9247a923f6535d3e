#pragma once

// Every limit and default of the engine, in one place; config keys have the same names.

#include <cstdint>
#include <string>

#include "core/string_pairs.h"
#include "core/time.h"

namespace docket::engine {

struct NodeSettings {
  double cpus = 1;
  double mem_mib = 1024;
  double disk_mib = 10240;
  std::int64_t gpus = 0;
  std::string hostname = "localhost";
  StringPairs attributes;  // for placement constraints: "@region", "@zone", any other
};

struct Settings {
  NodeSettings node;
  std::uint32_t running_max = 5000;      // runs that have begun, at one time
  std::uint32_t queued_max = 1'000'000;  // runs waiting; more are refused (kExhausted)
  std::uint32_t jobs_max = 1'000'000;
  std::uint32_t schedules_per_job_max = 100;
  bool paused = false;  // no schedule starts a run; all else goes on
  // A due time is fired if seen at most this late; later ones are missed (freeze, clock step): no
  // storm afterwards.
  Duration lateness_max = std::chrono::seconds{60};
  // A waiting run that fits the empty node may be overtaken by smaller ones for this long; then it
  // goes first.
  Duration overtaking_max = std::chrono::seconds{60};
  Duration kill_grace = std::chrono::seconds{3};  // Mesos' default where a job names none
  Duration retention =
      std::chrono::days{30};  // finished runs older than this are removed; zero keeps all
  Duration sweep_interval = std::chrono::minutes{1};  // more often when many tasks are made
  std::uint32_t sweep_roots_max = 1000;
  std::uint32_t sweep_rows_max = 10'000;
  std::uint32_t operations_max = 1'000'000;  // live ones; more are refused (kExhausted)
  // How long doors that forget show an ended root; user_task_ttl is for those a person asked for.
  Duration task_ttl{};
  Duration user_task_ttl = std::chrono::hours{1};
};

}  // namespace docket::engine
