#include "app/main/server_commands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>

#include <boost/json/array.hpp>
#include <map>
#include <memory>
#include <ostream>

#include "app/access_file.h"
#include "app/restore.h"
#include "app/service.h"
#include "app/system.h"
#include "cli/client/table.h"
#include "core/json_writer.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/checksum_vfs.h"

namespace docket::app {
namespace {

using cli::CliEnvironment;
using cli::CommandTree;

// Files that docket writes are for its own user: a store holds the commands and variables of all
// jobs.
constexpr mode_t kPrivate = 0077;

// ---- serve

// Flags that the configuration file knows under the same names.
const std::vector<std::pair<std::string, std::string>> kSettings{
    {"data", "DIR: everything the server keeps (./data)"},
    {"require-store",
     "true: refuse to start without a store; FILE: the same once FILE exists, which is made with "
     "the first store (false)"},
    {"backups", "DIR: for backups and exports that clients ask for (DATA/backups)"},
    {"listen", "ADDRESS:PORT of the hub (127.0.0.1:7300)"},
    {"port",
     "DOOR=PORT or DOOR=off, repeatable; all=off closes every native port (metronome=9000, "
     "scylla=10000)"},
    {"access",
     "FILE: tokens and what they permit, see docket access; without it everyone served may do all"},
    {"host",
     "NAME that requests may use for the server, besides localhost and its addresses, repeatable"},
    {"trust-group",
     "GROUP whose members are served without an access list, besides the server's user and root, "
     "repeatable"},
    {"allow-local-users", "true: serve every user of this machine if there is no access list"},
    {"allow-open", "true: listen on addresses other than loopback even without an access list"},
    {"node.cpus", "cores that jobs may use (this machine's)"},
    {"node.mem", "MiB of memory that jobs may use (this machine's)"},
    {"node.disk", "MiB of disk that jobs may use (the data directory's file system)"},
    {"node.gpus", "GPUs that jobs may use (0)"},
    {"node.hostname", "name of this node for placement constraints"},
    {"node.attribute", "NAME=VALUE for placement constraints, repeatable"},
    {"paused",
     "true: no schedule starts a run, all else works; for a copy of another server (false)"},
    {"running-max", "runs that may be running at one time (5000)"},
    {"queued-max", "runs that may wait (1000000)"},
    {"lateness-max-seconds", "a due time seen later than this is missed (60)"},
    {"retention-days", "finished runs older than this are removed; 0 keeps all (30)"},
    {"log-bytes", "bytes kept of each output stream of an attempt (104857600)"},
    {"reserve-bytes", "bytes kept free to finish running work when the disk is full (8388608)"},
    {"connections-max", "open connections (20000)"},
    {"buffered-bytes", "bytes of memory for what all clients send and do not read (268435456)"},
    {"read-threads", "threads for history and logs (2)"},
    {"task-ttl-seconds", "how long the Scylla API shows an ended task that no user asked for (0)"},
    {"user-task-ttl-seconds", "the same for a task that a user asked for (3600)"},
    {"status-read-unregisters",
     "false: reading the status of an ended task does not hide it (true)"},
    {"enable-test-api", "true: serve /task_manager_test, and jobs of kind test (false)"},
    {"cgroups", "false: do not enforce cpus and mem"},
    {"cpu-quota", "false: cpus are shares only, no hard limit"},
    {"attempt.processes", "processes and threads of one attempt at one time; 0: no limit (4096)"},
    {"attempt.open-files", "open files of each process of a job; 0: the server's own limit (0)"},
    {"attempt.core-bytes", "bytes of a core file of a process of a job; 0: none is written (0)"},
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

// In two passes: what the machine has depends on where the data is, and explicit settings override
// it.
Result<ServeConfig> configure(const std::string& file, const Flags& flags) {
  ServeConfig said;
  if (const auto done = apply_all(said, file, flags); !done) return fail(done.error());
  ServeConfig config;
  config.engine.node = probe_node(said.data_dir);
  if (const auto done = apply_all(config, file, flags); !done) return fail(done.error());
  return config;
}

Result<> serve(const std::string& file, const Flags& flags, int& exit_code) {
  ::umask(kPrivate);  // except where a mode is set explicitly
  auto config = configure(file, flags);
  if (!config) return fail(config.error());
  auto service = Service::open(std::move(*config));
  if (!service) return fail(service.error());
  exit_code = (*service)->run();
  return {};
}

// The placeholder of a setting that names a file is FILE, so that shells complete it.
const char* value_of(const std::string& help) {
  return help.starts_with("FILE") ? "FILE" : "VALUE";
}

void add_serve(CommandTree& tree, int& exit_code) {
  const auto file = std::make_shared<std::string>();
  const auto flags = std::make_shared<Flags>();
  CLI::App& app = tree.local(
      tree.root(), "serve", "Run the server: doors, engine, store",
      [file, flags, &exit_code](const CliEnvironment&) { return serve(*file, *flags, exit_code); });
  app.add_option("--config", *file, "TOML file with the settings below under the same names")
      ->type_name("FILE");
  for (const auto& [name, help] : kSettings) {
    const std::string scylla = scylla_name(name);
    app.add_option("--" + name + (scylla.empty() ? "" : ",--" + scylla), (*flags)[name], help)
        ->allow_extra_args(false)
        ->type_name(value_of(help))
        ->option_text(value_of(help));
  }
  for (const char* flag :
       {"--allow-open", "--allow-local-users", "--enable-test-api", "--paused"}) {
    app.get_option(flag)->expected(0, 1)->default_str("true");  // bare means yes
  }
}

// ---- backup and restore

void add_data_flag(CLI::App& app, std::string& data, const std::string& help) {
  app.add_option("--data", data, help)->type_name("DIR")->capture_default_str();
}

void add_backup(CommandTree& tree) {
  struct Order {
    std::string data = "./data";
    std::string file;
  };
  const auto order = std::make_shared<Order>();
  CLI::App& app = tree.local(
      tree.root(), "backup", "Copy the store into a new file, even while the server runs",
      [order](const CliEnvironment&) -> Result<> {
        ::umask(kPrivate);
        const auto done =
            store::copy_store(order->data + "/docket.db", order->file, store::checksum_vfs(""));
        if (!done) return fail(done.error());
        return {};
      });
  add_data_flag(app, order->data, "The server's data directory");
  app.add_option("file", order->file, "The new file; must not exist")->required();
}

Result<> restore(const CliEnvironment& env, const RestoreOrder& order) {
  ::umask(kPrivate);
  SystemClock clock;
  const auto restored = restore_store(order, clock);
  if (!restored) return fail(restored.error());
  env.out << fmt::format("{}/docket.db is now {}, {} bytes; recorded as task {}\n", order.data_dir,
                         order.file, restored->bytes, restored->task.value);
  env.out << "its schedules resume when a server starts; if the original server still runs, "
             "serve this copy with `docket serve --paused`\n";
  if (!restored->aside.empty()) env.out << "the previous store is " << restored->aside << "\n";
  if (!restored->warning.empty()) env.err << "Warning: " << restored->warning << "\n";
  return {};
}

void add_restore(CommandTree& tree) {
  const auto order = std::make_shared<RestoreOrder>();
  order->data_dir = "./data";
  CLI::App& app =
      tree.local(tree.root(), "restore", "Replace the store with a backup, while no server runs",
                 [order](const CliEnvironment& env) { return restore(env, *order); });
  add_data_flag(app, order->data_dir, "The server's data directory, created if it is missing");
  app.add_flag("--force", order->replace,
               "Keep an existing store as docket.db.TIME and replace it");
  app.add_option("file", order->file, "A file that docket backup made")->required();
}

// ---- access

struct AccessOrder {
  std::string file = "access.toml";
  std::string name;
  std::vector<std::string> permissions;
  bool superuser = false;
  bool json = false;
};

boost::json::array in_json(const std::vector<AccessUser>& users) {
  boost::json::array list;
  for (const auto& [name, permissions] : users) {
    const boost::json::array words(permissions.begin(), permissions.end());
    list.push_back({{"name", name}, {"permissions", words}});
  }
  return list;
}

Result<> add_to_list(const CliEnvironment& env, AccessOrder order) {
  if (order.superuser) order.permissions.emplace_back("dcos:superuser full");
  SystemRandom random;
  const auto token = add_user(order.file, order.name, order.permissions, random);
  if (!token) return fail(token.error());
  env.out << *token << "\n";
  return {};
}

Result<> show_list(const CliEnvironment& env, const AccessOrder& order) {
  const auto users = read_users(order.file);
  if (!users) return fail(users.error());
  if (order.json) {
    env.out << to_pretty_json(in_json(*users)) << '\n';
    return {};
  }
  cli::Table table({"NAME", "PERMISSIONS"});
  for (const AccessUser& user : *users)
    table.add({user.name, fmt::format("{}", fmt::join(user.permissions, "; "))});
  table.print(env);
  return {};
}

Result<> remove_from_list(const CliEnvironment&, const AccessOrder& order) {
  return remove_user(order.file, order.name);
}

void add_access(CommandTree& tree) {
  const auto order = std::make_shared<AccessOrder>();
  CLI::App& access = tree.group(tree.root(), "access",
                                "Edit the access list that docket serve --access FILE reads");
  access.footer("\nA server reads the list at startup and on SIGHUP (systemctl reload docket).");
  const auto command = [&](const char* word, const char* help, auto act) -> CLI::App& {
    CLI::App& app = tree.local(
        access, word, help, [order, act](const CliEnvironment& env) { return act(env, *order); });
    app.add_option("--file", order->file, "The access list")
        ->type_name("FILE")
        ->capture_default_str();
    return app;
  };
  CLI::App& add =
      command("add", "Add a user and print the new token, which is not stored", add_to_list);
  CLI::App& list = command("list", "Show the users and what they may do", show_list);
  cli::add_json_flag(list, order->json);
  CLI::App& remove = command("remove", "Remove a user", remove_from_list);
  add.add_flag("--superuser", order->superuser, "May do everything");
  add.add_option("--permission", order->permissions, "RESOURCE ACTION[,ACTION...], repeatable")
      ->allow_extra_args(false);
  add.footer(fmt::format("\nActions: create, read, update, delete, full. Resources:\n  {}",
                         fmt::join(known_resources(), "\n  ")) +
             "[:GROUP/JOB]");
  for (CLI::App* each : {&add, &remove})
    each->add_option("name", order->name, "The user's name")->required();
}

}  // namespace

void add_server_commands(CommandTree& tree, int& exit_code) {
  add_serve(tree, exit_code);
  add_backup(tree);
  add_restore(tree);
  add_access(tree);
  for (const char* word : {"serve", "backup", "restore", "access"})
    tree.root().get_subcommand(word)->group("Server");
}

}  // namespace docket::app
