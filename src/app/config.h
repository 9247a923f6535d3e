#pragma once

// All settings of `docket serve` with their defaults; read once from flags and a TOML file with the
// same names (flags win), then handed out as structs. No other code reads configuration.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/data_directory.h"
#include "core/result.h"
#include "engine/settings.h"
#include "exec/runner/runner.h"
#include "http/local_trust.h"
#include "http/server.h"

namespace docket::app {

struct Endpoint {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
};
Result<Endpoint> parse_endpoint(
    const std::string& text);  // "127.0.0.1:7300", "[::1]:7300", ":7300", "7300"

struct ServeConfig {
  std::string data_dir = "./data";
  Endpoint hub{"127.0.0.1", 7300};
  // Native ports by door; absent: the door's own default. nullopt: off.
  std::map<std::string, std::optional<Endpoint>> ports;
  StoreRule require_store;
  std::string backup_dir;     // for backups and exports; empty: DATA/backups
  std::string access_file;    // who may do what (access_file.h); empty: everyone may do everything
  http::TrustSettings trust;  // which users to serve without such a list; remote: --allow-open
  http::HostNames hosts;      // names under which requests may address the server
  engine::Settings engine{.sweep_interval = std::chrono::seconds{10}, .sweep_roots_max = 500};
  http::Limits http;
  std::uint64_t log_bytes = std::uint64_t{100} << 20;    // kept of each output stream of an attempt
  std::uint64_t reserve_bytes = std::uint64_t{8} << 20;  // disk kept free for running work to end
  bool cgroups = true;
  bool cpu_quota = true;
  runner::ProcessLimits attempt;
  unsigned read_threads = 2;       // history, logs
  bool status_unregisters = true;  // for the Scylla door: scylla.h
  bool test_api = false;

  // The address of a door's own port; nullopt if it is off. all=off closes those that are not
  // named.
  std::optional<Endpoint> port_of(const std::string& door, std::uint16_t otherwise) const;
};

// Scylla's own name for a setting, which is accepted too; empty: none.
std::string scylla_name(const std::string& setting);

// Applies one setting by its name ("port", "retention-days", "node.cpus" ...), as flags and file
// give it.
Result<> apply_setting(ServeConfig& config, const std::string& name, const std::string& value);
Result<> apply_file(ServeConfig& config, const std::string& path);

// The settings in effect, by name, for everyone to see: no file names, and nothing about who has
// access.
std::vector<std::pair<std::string, std::string>> shown_settings(const ServeConfig& config);

// kDenied for an address that is not loopback, unless there is an access list or --allow-open.
Result<> check_addresses(const ServeConfig& config);

// What this machine has: cores, memory, hostname; overridden by node.* settings.
engine::NodeSettings probe_node(const std::string& data_dir);

}  // namespace docket::app
