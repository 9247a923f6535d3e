// The one program: `runner` and `runner-fetch` are the server's helper processes, all other
// subcommands are for people (cli/, and server_commands.h).

#include <fcntl.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "app/main/server_commands.h"
#include "app/system.h"
#include "app/version.h"
#include "cli/cli.h"
#include "exec/runner/runner.h"

namespace docket::app {
namespace {

// The only code in the program that reads the environment.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// ---- helpers of the server

int runner(int argc, char** argv) {
  runner::RunnerConfig config;
  CLI::App app{"Owns the server's child processes (started by the server)", "docket runner"};
  bool no_cgroups = false;
  bool no_cpu_quota = false;
  app.add_option("--dir", config.dir)->required();
  app.add_option("--log-bytes", config.log_bytes);
  app.add_option("--processes", config.limits.processes);
  app.add_option("--open-files", config.limits.open_files);
  app.add_option("--core-bytes", config.limits.core_bytes);
  app.add_flag("--no-cgroups", no_cgroups);
  app.add_flag("--no-cpu-quota", no_cpu_quota);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  config.cgroups.enabled = !no_cgroups;
  config.cgroups.cpu_quota = !no_cpu_quota;
  return run_runner(config);
}

// ---- commands for people

std::string local_timezone() {
  std::error_code error;
  const std::string zone = std::filesystem::read_symlink("/etc/localtime", error).string();
  const auto at = zone.find("/zoneinfo/");
  return at == std::string::npos ? "UTC" : zone.substr(at + 10);
}

class ThisMachine final : public cli::Machine {
 public:
  std::chrono::milliseconds elapsed() override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
  void pause(std::chrono::milliseconds time) override {
    std::this_thread::sleep_for(time);  // between retries or updates: a client has no event loop
  }
  std::uint64_t random() override { return random_.next(); }
  bool fork_detached() override {
    if (::fork() != 0) return false;
    ::setsid();
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nowhere, fd);
    return true;
  }
  std::pair<unsigned, unsigned> terminal() override {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {0, 0};
    return {size.ws_col, size.ws_row};
  }

 private:
  SystemRandom random_;
};

int command(int argc, char** argv) {
  std::string token = environment("DOCKET_TOKEN");
  if (token.empty()) token = environment("DCOS_ACS_TOKEN");
  ThisMachine machine;
  const bool is_tty = isatty(STDOUT_FILENO) == 1;
  int exit_code = 0;
  const cli::CliEnvironment world{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .url = environment("DOCKET_URL"),
      .token = token,
      .home = environment("HOME"),
      .timezone = local_timezone(),
      .now = SystemClock().now(),
      .version = kVersion,
      .columns = machine.terminal().first,
      .is_tty = is_tty,
      .colours = is_tty && environment("NO_COLOR").empty() && environment("TERM") != "dumb",
      .task = environment("DOCKET_TASK"),
      .machine = &machine,
      .server_commands = [&](cli::CommandTree& tree) { add_server_commands(tree, exit_code); }};
  const int code = cli::run_cli(argc, argv, world);
  return code == 0 ? exit_code : code;
}

int dispatch(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "runner") return runner(argc - 1, argv + 1);
  if (word == "runner-fetch") return runner::run_fetch(STDIN_FILENO);
  return command(argc, argv);
}

}  // namespace
}  // namespace docket::app

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("docket"));
    spdlog::set_error_handler([](const std::string&) {});  // a line that cannot be written is lost
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    return docket::app::dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "Error: " << error.what() << "\n";
    return 70;
  }
}
