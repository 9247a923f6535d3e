// The one program: `serve` is the server, `runner` and `runner-fetch` its helper processes,
// `backup`, `restore` and `access` work on its files, everything else is a client.

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "app/access_file.h"
#include "app/restore.h"
#include "app/service.h"
#include "app/system.h"
#include "app/version.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "exec/runner/runner.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/checksum_vfs.h"

namespace docket::app {
namespace {

// The only reads of the environment in the program.
std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// What docket writes is for its own user: a store holds the commands and variables of all jobs.
constexpr mode_t kPrivate = 0077;

int complain(const Error& error) {
  std::cerr << "Error: " << error.message << "\n";
  return 1;
}

// ---- serve

// Flags that the configuration file knows under the same names.
const std::vector<std::pair<std::string, std::string>> kSettings{
    {"data", "DIR: everything the server keeps (./data)"},
    {"require-store",
     "true: the data must be there already; FILE: once there was some, which FILE remembers "
     "(false)"},
    {"backups", "DIR: where backups and exports that clients ask for go (DATA/backups)"},
    {"listen", "ADDRESS:PORT of the hub (127.0.0.1:7300)"},
    {"port",
     "DOOR=PORT or DOOR=off, repeatable; all=off closes every native port (metronome=9000, "
     "scylla=10000)"},
    {"access",
     "FILE: tokens and what they permit, see docket access; without it who is served may do all"},
    {"host",
     "NAME that requests may call the server by, beside localhost and its addresses, repeatable"},
    {"trust-group",
     "GROUP whose members the server serves without an access list, beside its own user and root, "
     "repeatable"},
    {"allow-local-users", "true: without an access list serve every user of this machine"},
    {"allow-open", "true: serve other than loopback addresses although there is no access list"},
    {"node.cpus", "cores that jobs may use (this machine's)"},
    {"node.mem", "MiB of memory that jobs may use (this machine's)"},
    {"node.disk", "MiB of disk that jobs may use (the data directory's file system)"},
    {"node.gpus", "GPUs that jobs may use (0)"},
    {"node.hostname", "name of this node for placement constraints"},
    {"node.attribute", "NAME=VALUE for placement constraints, repeatable"},
    {"paused",
     "true: no schedule starts a run; all else goes on, as on a copy of another server (false)"},
    {"running-max", "runs at one time (5000)"},
    {"queued-max", "runs that may wait (1000000)"},
    {"lateness-max-seconds", "a due time seen later than this is missed (60)"},
    {"retention-days", "finished runs older than this are removed; 0 keeps all (30)"},
    {"log-bytes", "kept of each output stream of an attempt (104857600)"},
    {"reserve-bytes", "disk kept free to finish what runs when the disk is full (8388608)"},
    {"connections-max", "open connections (20000)"},
    {"buffered-bytes", "memory for what clients send and do not read, all together (268435456)"},
    {"read-threads", "threads for history and logs (2)"},
    {"task-ttl-seconds", "the Scylla API shows an ended task that nobody asked for this long (0)"},
    {"user-task-ttl-seconds", "... and one that somebody asked for (3600)"},
    {"status-read-unregisters",
     "false: reading the status of an ended task does not hide it (true)"},
    {"enable-test-api", "true: serve /task_manager_test (false)"},
    {"cgroups", "false: do not enforce cpus and mem"},
    {"cpu-quota", "false: shares only, no hard limit of cpus"},
    {"attempt.processes", "processes and threads of one attempt at a time; 0: no limit (4096)"},
    {"attempt.open-files", "open files of a process of a job; 0: the server's own limit (0)"},
    {"attempt.core-bytes", "size of a core file of a process of a job; 0: none is written (0)"},
};

using Flags = std::map<std::string, std::vector<std::string>>;

Result<> apply_all(ServeConfig& config, const std::string& file, const Flags& flags) {
  if (!file.empty()) {
    if (const auto done = apply_file(config, file); !done) return fail(done.error());
  }
  for (const auto& [name, values] : flags) {
    for (const std::string& value : values) {
      if (const auto done = apply_setting(config, name, value); !done) return fail(done.error());
    }
  }
  return {};
}

// Twice: what the machine has depends on where the data is, and what is said overrides what the
// machine has.
Result<ServeConfig> configure(const std::string& file, const Flags& flags) {
  ServeConfig said;
  if (const auto done = apply_all(said, file, flags); !done) return fail(done.error());
  ServeConfig config;
  config.engine.node = probe_node(said.data_dir);
  if (const auto done = apply_all(config, file, flags); !done) return fail(done.error());
  return config;
}

int serve(int argc, char** argv) {
  CLI::App app{"The docket server: doors, engine, store", "docket serve"};
  std::string file;
  Flags flags;
  app.add_option("--config", file, "TOML file with the settings below under the same names");
  for (const auto& [name, help] : kSettings) {
    const std::string scylla = scylla_name(name);
    app.add_option("--" + name + (scylla.empty() ? "" : ",--" + scylla), flags[name], help)
        ->allow_extra_args(false)
        ->option_text("VALUE");
  }
  for (const char* flag :
       {"--allow-open", "--allow-local-users", "--enable-test-api", "--paused"}) {
    app.get_option(flag)->expected(0, 1)->default_str("true");  // bare means yes
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  ::umask(kPrivate);  // but for what is given a mode by name
  auto config = configure(file, flags);
  if (!config) return complain(config.error());
  auto service = Service::open(std::move(*config));
  if (!service) return complain(service.error());
  return (*service)->run();
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

int backup(int argc, char** argv) {
  CLI::App app{"Copies the store into a new file, also while the server runs", "docket backup"};
  std::string data = "./data";
  std::string file;
  app.add_option("--data", data, "the server's data directory");
  app.add_option("file", file, "the copy; must not exist")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  ::umask(kPrivate);
  const auto done = store::copy_store(data + "/docket.db", file, store::checksum_vfs(""));
  return done ? 0 : complain(done.error());
}

int restore(int argc, char** argv) {
  CLI::App app{"Puts a backup in the place of the store, while no server runs", "docket restore"};
  RestoreOrder order{.file = {}, .data_dir = "./data"};
  app.add_option("--data", order.data_dir, "the server's data directory, made if it is missing");
  app.add_flag("--force", order.replace, "set a store that is there aside, as docket.db.TIME");
  app.add_option("file", order.file, "what docket backup has made")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  ::umask(kPrivate);
  SystemClock clock;
  const auto restored = restore_store(order, clock);
  if (!restored) return complain(restored.error());
  std::cout << fmt::format("{}/docket.db is {} now, {} bytes; task {} tells of it\n",
                           order.data_dir, order.file, restored->bytes, restored->task.value);
  std::cout
      << "its schedules go on when a server starts; where the server that it is a copy of goes "
         "on too, `docket serve --paused` keeps them from it\n";
  if (!restored->aside.empty()) std::cout << "the store before it is " << restored->aside << "\n";
  if (!restored->warning.empty()) std::cerr << "Warning: " << restored->warning << "\n";
  return 0;
}

int add_to_list(const std::string& file, const std::string& name,
                std::vector<std::string> permissions, bool superuser) {
  if (superuser) permissions.emplace_back("dcos:superuser full");
  SystemRandom random;
  const auto token = add_user(file, name, permissions, random);
  if (!token) return complain(token.error());
  std::cout << *token << "\n";
  return 0;
}

int show_list(const std::string& file) {
  const auto users = read_users(file);
  if (!users) return complain(users.error());
  cli::Table table({"NAME", "PERMISSIONS"});
  for (const AccessUser& user : *users)
    table.add({user.name, fmt::format("{}", fmt::join(user.permissions, "; "))});
  table.print({.in = std::cin, .out = std::cout, .err = std::cerr});
  return 0;
}

int remove_from_list(const std::string& file, const std::string& name) {
  const auto removed = remove_user(file, name);
  return removed ? 0 : complain(removed.error());
}

int access(int argc, char** argv) {
  CLI::App app{"Edits the access list that docket serve --access FILE reads", "docket access"};
  app.require_subcommand(1);
  app.footer("\nA server reads the list at its start and on SIGHUP (systemctl reload docket).");
  std::string file = "access.toml";
  std::string name;
  std::vector<std::string> permissions;
  bool superuser = false;
  auto* add =
      app.add_subcommand("add", "Adds a user and prints the new token, which is kept nowhere");
  auto* list = app.add_subcommand("list", "Shows the users and what they may do");
  auto* remove = app.add_subcommand("remove", "Removes a user");
  for (CLI::App* each : {add, list, remove})
    each->add_option("--file", file, "the access list")->capture_default_str();
  add->add_flag("--superuser", superuser, "may do everything");
  add->add_option("--permission", permissions, "RESOURCE ACTION[,ACTION...], repeatable")
      ->allow_extra_args(false);
  add->footer(fmt::format("\nActions: create, read, update, delete, full. Resources:\n  {}",
                          fmt::join(known_resources(), "\n  ")) +
              "[:GROUP/JOB]");
  for (CLI::App* each : {add, remove}) each->add_option("name", name, "of the user")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (list->parsed()) return show_list(file);
  if (remove->parsed()) return remove_from_list(file, name);
  return add_to_list(file, name, std::move(permissions), superuser);
}

// ---- clients

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
    std::this_thread::sleep_for(time);  // between two tries or two pictures: a client has no loop
  }
  std::uint64_t random() override { return random_.next(); }
  bool leave_behind() override {
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

int client(int argc, char** argv) {
  std::string token = environment("DOCKET_TOKEN");
  if (token.empty()) token = environment("DCOS_ACS_TOKEN");
  ThisMachine machine;
  const bool is_tty = isatty(STDOUT_FILENO) == 1;
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
      .server_commands = {{"serve", "Run the server"},
                          {"backup", "Copy the store while the server runs"},
                          {"restore", "Put such a copy in the place of the store"},
                          {"access", "Tokens of users and what they may do"}}};
  return cli::run_cli(argc, argv, world);
}

int dispatch(int argc, char** argv) {
  const std::string word = argc > 1 ? argv[1] : "";
  if (word == "serve") return serve(argc - 1, argv + 1);
  if (word == "runner") return runner(argc - 1, argv + 1);
  if (word == "runner-fetch") return runner::run_fetch(STDIN_FILENO);
  if (word == "backup") return backup(argc - 1, argv + 1);
  if (word == "restore") return restore(argc - 1, argv + 1);
  if (word == "access") return access(argc - 1, argv + 1);
  return client(argc, argv);
}

}  // namespace
}  // namespace docket::app

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    spdlog::set_default_logger(spdlog::stderr_logger_mt("docket"));
    spdlog::set_error_handler([](const std::string&) {});  // a line that has no room is lost
    spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
    return docket::app::dispatch(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "Error: " << error.what() << "\n";
    return 70;
  }
}
