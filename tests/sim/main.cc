// docket-sim: runs seeds and says which are clean.
//
//   docket-sim --seeds 1000            1,000 seeds from 1 on
//   docket-sim --seed 77 --verbose     one seed again, with all that happens

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/simulation.h"

namespace {

using docket::sim::run_seed;
using docket::sim::SeedReport;

struct Totals {
  std::mutex mutex;
  std::uint64_t events = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t processes = 0;
  std::uint64_t crashes = 0;
  std::uint64_t failed = 0;
};

int replay(std::uint64_t seed, bool verbose) {
  const SeedReport report = run_seed({seed, verbose});
  std::printf(
      "seed %lu: %lu events, %lu acknowledged, %lu commits, %lu processes, %zu crashes, "
      "hash %016lx\n",
      seed, report.events, report.acknowledged, report.batches, report.processes, report.crashes,
      report.hash);
  if (report.clean()) return 0;
  std::printf("seed %lu violates: %s\n", seed, report.violation.c_str());
  return 1;
}

void count(Totals& totals, std::uint64_t seed, const SeedReport& report) {
  const std::lock_guard guard(totals.mutex);
  totals.events += report.events;
  totals.acknowledged += report.acknowledged;
  totals.processes += report.processes;
  totals.crashes += report.crashes;
  if (report.clean()) return;
  ++totals.failed;
  std::printf("seed %lu violates: %s\n", seed, report.violation.c_str());
  std::fflush(stdout);
}

int run_many(std::uint64_t from, std::uint64_t seeds, unsigned jobs, bool keep_going) {
  Totals totals;
  std::atomic<std::uint64_t> next{from};
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < jobs; ++i) {
    threads.emplace_back([&] {
      for (std::uint64_t seed = next++; seed < from + seeds && !stop; seed = next++) {
        const SeedReport report = run_seed({seed, false});
        count(totals, seed, report);
        if (!report.clean() && !keep_going) stop = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%lu events, %lu acknowledged writes, %lu processes, %lu crashes\n", totals.events,
              totals.acknowledged, totals.processes, totals.crashes);
  if (totals.failed > 0) {
    std::printf("%lu seeds failed; replay one with --seed N --verbose\n", totals.failed);
    return 1;
  }
  std::printf("%lu seeds clean\n", seeds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"The engine of docket under simulated crashes, faults and clocks"};
  std::uint64_t seed = 0;
  std::uint64_t seeds = 100;
  std::uint64_t from = 1;
  unsigned jobs = 1;
  bool verbose = false;
  bool keep_going = false;
  auto* one = app.add_option("--seed", seed, "run this seed only");
  app.add_option("--seeds", seeds, "how many seeds to run");
  app.add_option("--from", from, "the first of them");
  app.add_option("--jobs", jobs, "threads")->check(CLI::Range(1U, 256U));
  app.add_flag("--verbose", verbose, "with --seed: print what happens");
  app.add_flag("--keep-going", keep_going, "run all seeds even if one fails");
  CLI11_PARSE(app, argc, argv);
  return *one ? replay(seed, verbose) : run_many(from, seeds, jobs, keep_going);
}
