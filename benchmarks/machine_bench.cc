// What this machine can do at best, measured with as little overhead as possible: the limits to
// which docket's figures are compared. Prints one JSON object.

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Median milliseconds of one 4 KiB append and fdatasync in the given directory.
double sync_ms(const std::string& directory) {
  const std::string file = directory + "/machine_bench.tmp";
  const int fd = open(file.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
  const std::vector<char> page(4096, 'x');
  std::vector<double> times;
  for (int i = 0; i < 500; ++i) {
    const auto start = Clock::now();
    if (write(fd, page.data(), page.size()) != 4096 || fdatasync(fd) != 0) return -1;
    times.push_back(seconds_since(start) * 1e3);
  }
  close(fd);
  unlink(file.c_str());
  std::nth_element(times.begin(), times.begin() + 250, times.end());
  return times[250];
}

// Processes per second with one spawning thread per core, each waiting for its child.
double spawn_rate() {
  constexpr int kEach = 2000;
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  const auto start = Clock::now();
  std::vector<std::thread> pool;
  for (unsigned i = 0; i < threads; ++i) {
    pool.emplace_back([] {
      std::string program = "/bin/true";
      char* argv[] = {program.data(), nullptr};
      for (int n = 0; n < kEach; ++n) {
        pid_t pid = 0;
        if (posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ) == 0)
          waitpid(pid, nullptr, 0);
      }
    });
  }
  for (std::thread& thread : pool) thread.join();
  return kEach * threads / seconds_since(start);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = argc > 1 ? argv[1] : ".";
  std::printf("{\"fdatasync_ms\": %.3f, \"spawn_per_second\": %.0f}\n", sync_ms(directory),
              spawn_rate());
  return 0;
}
