// The runner as a program of its own, for tests and measurements: `runner_main runner DIR`,
// `runner_main runner-fetch`, `runner_main bench DIR N`.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "exec/runner/runner.h"
#include "support/runner/bench.h"

namespace {

// Options are NAME=VALUE words after DIR, the few that tests change.
void set_option(docket::runner::RunnerConfig& config, const std::string& word) {
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const double value = equals == std::string::npos ? 0 : std::atof(word.c_str() + equals + 1);
  const auto number = static_cast<std::uint64_t>(value);
  if (name == "cgroups") config.cgroups.enabled = value != 0;
  if (name == "log_bytes") config.log_bytes = number;
  if (name == "sample_ms") config.sample_interval = std::chrono::milliseconds{number};
  if (name == "max_attempts") config.max_attempts = number;
  if (name == "download_bytes") config.fetch.download_bytes = number;
  if (name == "extracted_bytes") config.fetch.extracted_bytes = number;
  if (name == "processes") config.limits.processes = number;
  if (name == "open_files") config.limits.open_files = number;
  if (name == "core_bytes") config.limits.core_bytes = number;
  if (name == "max_frame_bytes") config.max_frame_bytes = number;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "runner-fetch") return docket::runner::run_fetch(0);
  if (argc < 3) return 2;
  if (verb == "bench") return docket::runner::bench(argv[0], argc - 2, argv + 2);
  docket::runner::RunnerConfig config;
  config.dir = argv[2];
  for (int i = 3; i < argc; ++i) set_option(config, argv[i]);
  return docket::runner::run_runner(config);
}
