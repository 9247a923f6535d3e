#include "app/config.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <thread>

namespace docket::app {
namespace {

template <class Number>
Result<Number> number(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  return fail(ErrorKind::kInvalid, fmt::format("not a number in range: \"{}\"", text));
}

Result<bool> boolean(const std::string& text) {
  if (text == "true" || text == "on" || text == "1") return true;
  if (text == "false" || text == "off" || text == "0") return false;
  return fail(ErrorKind::kInvalid, fmt::format("neither true nor false: \"{}\"", text));
}

using Apply = std::function<Result<>(ServeConfig&, const std::string&)>;

// Stores a parsed number, and refuses one below the least sensible value.
template <class Number, class Place>
Apply numeric(Place place, Number least) {
  return [place, least](ServeConfig& config, const std::string& text) -> Result<> {
    const auto value = number<Number>(text);
    if (!value) return fail(value.error());
    if (*value < least)
      return fail(ErrorKind::kInvalid, fmt::format("{} is less than {}", *value, least));
    place(config, *value);
    return {};
  };
}

template <class Place>
Apply flag(Place place) {
  return [place](ServeConfig& config, const std::string& text) -> Result<> {
    const auto value = boolean(text);
    if (!value) return fail(value.error());
    place(config, *value);
    return {};
  };
}

template <class Place>
Apply text(Place place) {
  return [place](ServeConfig& config, const std::string& value) -> Result<> {
    place(config, value);
    return {};
  };
}

Apply attempt_limit(std::uint64_t runner::ProcessLimits::* limit) {
  return numeric<std::uint64_t>([limit](auto& c, auto v) { c.attempt.*limit = v; },
                                std::uint64_t{0});
}

// "metronome=9000", "scylla=off", "all=off".
Result<> apply_port(ServeConfig& config, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == std::string::npos) {
    return fail(ErrorKind::kInvalid,
                fmt::format("expected DOOR=PORT or DOOR=off, got \"{}\"", value));
  }
  const std::string door = value.substr(0, equals);
  const std::string where = value.substr(equals + 1);
  if (where == "off") {
    config.ports[door] = std::nullopt;
    return {};
  }
  const auto endpoint = parse_endpoint(where);
  if (!endpoint) return fail(endpoint.error());
  config.ports[door] = *endpoint;
  return {};
}

// "region=eu": an attribute of the node for placement constraints.
Result<> apply_attribute(ServeConfig& config, const std::string& value) {
  const auto equals = value.find('=');
  if (equals == std::string::npos) return fail(ErrorKind::kInvalid, "expected NAME=VALUE");
  config.engine.node.attributes.emplace_back(value.substr(0, equals), value.substr(equals + 1));
  return {};
}

Result<> apply_store_rule(ServeConfig& config, const std::string& value) {
  auto rule = parse_store_rule(value);
  if (!rule) return fail(rule.error());
  config.require_store = std::move(*rule);
  return {};
}

const std::map<std::string, Apply>& settings() {
  static const std::map<std::string, Apply> kTable{
      {"data", text([](auto& c, auto& v) { c.data_dir = v; })},
      {"listen",
       [](ServeConfig& config, const std::string& value) -> Result<> {
         const auto endpoint = parse_endpoint(value);
         if (!endpoint) return fail(endpoint.error());
         config.hub = *endpoint;
         return {};
       }},
      {"port", apply_port},
      {"require-store", apply_store_rule},
      {"backups", text([](auto& c, auto& v) { c.backup_dir = v; })},
      {"access", text([](auto& c, auto& v) { c.access_file = v; })},
      {"host", [](ServeConfig& config, const std::string& name) { return config.hosts.add(name); }},
      {"trust-group",
       [](ServeConfig& config, const std::string& group) -> Result<> {
         config.trust.groups.push_back(group);
         return http::check_group(group);
       }},
      {"allow-local-users", flag([](auto& c, bool v) { c.trust.local_users = v; })},
      {"allow-open", flag([](auto& c, bool v) { c.trust.remote = v; })},
      {"node.cpus", numeric<double>([](auto& c, double v) { c.engine.node.cpus = v; }, 0.0)},
      {"node.mem", numeric<double>([](auto& c, double v) { c.engine.node.mem_mib = v; }, 0.0)},
      {"node.disk", numeric<double>([](auto& c, double v) { c.engine.node.disk_mib = v; }, 0.0)},
      {"node.gpus",
       numeric<std::int64_t>([](auto& c, auto v) { c.engine.node.gpus = v; }, std::int64_t{0})},
      {"node.hostname", text([](auto& c, auto& v) { c.engine.node.hostname = v; })},
      {"node.attribute", apply_attribute},
      {"running-max",
       numeric<std::uint32_t>([](auto& c, auto v) { c.engine.running_max = v; }, 1U)},
      {"queued-max", numeric<std::uint32_t>([](auto& c, auto v) { c.engine.queued_max = v; }, 1U)},
      {"lateness-max-seconds",
       numeric<std::int64_t>(
           [](auto& c, auto v) { c.engine.lateness_max = std::chrono::seconds{v}; },
           std::int64_t{1})},
      {"retention-days",
       numeric<std::int64_t>([](auto& c, auto v) { c.engine.retention = std::chrono::days{v}; },
                             std::int64_t{0})},
      {"log-bytes",
       numeric<std::uint64_t>([](auto& c, auto v) { c.log_bytes = v; }, std::uint64_t{4096})},
      {"reserve-bytes",
       numeric<std::uint64_t>([](auto& c, auto v) { c.reserve_bytes = v; }, std::uint64_t{0})},
      {"connections-max",
       numeric<std::size_t>([](auto& c, auto v) { c.http.connections = v; }, std::size_t{1})},
      {"buffered-bytes", numeric<std::size_t>([](auto& c, auto v) { c.http.buffered_bytes = v; },
                                              std::size_t{1} << 20U)},
      {"read-threads", numeric<unsigned>([](auto& c, auto v) { c.read_threads = v; }, 1U)},
      {"cgroups", flag([](auto& c, bool v) { c.cgroups = v; })},
      {"task-ttl-seconds",
       numeric<std::uint32_t>([](auto& c, auto v) { c.engine.task_ttl = std::chrono::seconds{v}; },
                              0U)},
      {"user-task-ttl-seconds",
       numeric<std::uint32_t>(
           [](auto& c, auto v) { c.engine.user_task_ttl = std::chrono::seconds{v}; }, 0U)},
      {"status-read-unregisters", flag([](auto& c, bool v) { c.status_unregisters = v; })},
      {"paused", flag([](auto& c, bool v) { c.engine.paused = v; })},
      {"enable-test-api", flag([](auto& c, bool v) { c.test_api = v; })},
      {"attempt.processes", attempt_limit(&runner::ProcessLimits::processes)},
      {"attempt.open-files", attempt_limit(&runner::ProcessLimits::open_files)},
      {"attempt.core-bytes", attempt_limit(&runner::ProcessLimits::core_bytes)},
      {"cpu-quota", flag([](auto& c, bool v) { c.cpu_quota = v; })},
  };
  return kTable;
}

bool is_loopback(const std::string& address) {
  in_addr v4{};
  if (inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return address == "::1";
}

// The directory, or its nearest existing ancestor: the file system that it will be on.
std::filesystem::path nearest_existing_ancestor(const std::string& directory) {
  std::error_code ignored;
  std::filesystem::path path = std::filesystem::absolute(directory, ignored);
  while (path.has_relative_path() && !std::filesystem::exists(path, ignored))
    path = path.parent_path();
  return path;
}

std::string as_text(const toml::node& node) {
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_integer()) return std::to_string(value->get());
  if (const auto* value = node.as_floating_point()) return fmt::format("{}", value->get());
  if (const auto* value = node.as_boolean()) return value->get() ? "true" : "false";
  return {};
}

// Tables become dotted names, arrays repeat their name: port = ["scylla=off"], [node] cpus = 4.
Result<> apply_table(ServeConfig& config, const toml::table& table, const std::string& prefix) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      if (const auto done = apply_table(config, *inner, name + "."); !done) return done;
    } else if (const auto* list = node.as_array()) {
      for (const toml::node& item : *list) {
        if (const auto done = apply_setting(config, name, as_text(item)); !done) return done;
      }
    } else if (const auto done = apply_setting(config, name, as_text(node)); !done) {
      return done;
    }
  }
  return {};
}

}  // namespace

std::optional<Endpoint> ServeConfig::port_of(const std::string& door,
                                             std::uint16_t otherwise) const {
  if (const auto named = ports.find(door); named != ports.end()) return named->second;
  if (const auto all = ports.find("all"); all != ports.end() && !all->second) return std::nullopt;
  return Endpoint{"127.0.0.1", otherwise};
}

Result<Endpoint> parse_endpoint(const std::string& text) {
  const auto colon = text.rfind(':');
  Endpoint endpoint;
  if (colon != std::string::npos && colon > 0) endpoint.address = text.substr(0, colon);
  if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
    endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
  }
  const auto port =
      number<std::uint16_t>(colon == std::string::npos ? text : text.substr(colon + 1));
  if (!port)
    return fail(ErrorKind::kInvalid, fmt::format("not an address with a port: \"{}\"", text));
  endpoint.port = *port;
  return endpoint;
}

std::string scylla_name(const std::string& setting) {
  if (!setting.ends_with("task-ttl-seconds")) return {};
  return setting.starts_with("user-") ? "user_task_ttl_in_seconds" : "task_ttl_in_seconds";
}

Result<> apply_setting(ServeConfig& config, const std::string& name, const std::string& value) {
  const auto it = std::ranges::find_if(settings(), [&name](const auto& setting) {
    return setting.first == name ||
           (name.ends_with("_in_seconds") && name == scylla_name(setting.first));
  });
  if (it == settings().end())
    return fail(ErrorKind::kInvalid, fmt::format("no such setting: {}", name));
  const auto done = it->second(config, value);
  if (done) return {};
  return fail(ErrorKind::kInvalid, fmt::format("{}: {}", name, done.error().message));
}

std::vector<std::pair<std::string, std::string>> shown_settings(const ServeConfig& config) {
  const auto number = [](auto value) { return fmt::format("{}", value); };
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  const auto seconds = [&](Duration time) {
    return number(std::chrono::duration_cast<std::chrono::seconds>(time).count());
  };
  const engine::Settings& engine = config.engine;
  return {
      {"listen", fmt::format("{}:{}", config.hub.address, config.hub.port)},
      {"node.cpus", number(engine.node.cpus)},
      {"node.mem", number(engine.node.mem_mib)},
      {"node.disk", number(engine.node.disk_mib)},
      {"node.gpus", number(engine.node.gpus)},
      {"node.hostname", engine.node.hostname},
      {"running-max", number(engine.running_max)},
      {"queued-max", number(engine.queued_max)},
      {"lateness-max-seconds", seconds(engine.lateness_max)},
      {"retention-days",
       number(std::chrono::duration_cast<std::chrono::days>(engine.retention).count())},
      {"log-bytes", number(config.log_bytes)},
      {"reserve-bytes", number(config.reserve_bytes)},
      {"connections-max", number(config.http.connections)},
      {"buffered-bytes", number(config.http.buffered_bytes)},
      {"read-threads", number(config.read_threads)},
      {"cgroups", flag(config.cgroups)},
      {"cpu-quota", flag(config.cpu_quota)},
      {"attempt.processes", number(config.attempt.processes)},
      {"attempt.open-files", number(config.attempt.open_files)},
      {"attempt.core-bytes", number(config.attempt.core_bytes)},
  };
}

Result<> apply_file(ServeConfig& config, const std::string& path) {
  try {
    return apply_table(config, toml::parse_file(path), "");
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, error.description()));
  }
}

Result<> check_addresses(const ServeConfig& config) {
  if (config.trust.remote || !config.access_file.empty()) return {};
  std::vector<std::string> addresses{config.hub.address};
  for (const auto& [door, endpoint] : config.ports) {
    if (endpoint) addresses.push_back(endpoint->address);
  }
  for (const std::string& address : addresses) {
    if (is_loopback(address)) continue;
    return fail(
        ErrorKind::kDenied,
        fmt::format(
            "refusing to listen on {}: without an access list (--access FILE) anyone who reaches "
            "it could run commands here; use --allow-open if that is intended",
            address));
  }
  return {};
}

engine::NodeSettings probe_node(const std::string& data_dir) {
  engine::NodeSettings node;
  node.cpus = std::max(1U, std::thread::hardware_concurrency());
  struct sysinfo memory{};
  if (sysinfo(&memory) == 0) {
    node.mem_mib = static_cast<double>(memory.totalram) * memory.mem_unit / (1 << 20);
  }
  struct statvfs disk{};
  if (statvfs(nearest_existing_ancestor(data_dir).c_str(), &disk) == 0) {
    node.disk_mib =
        static_cast<double>(disk.f_blocks) * static_cast<double>(disk.f_frsize) / (1 << 20);
  }
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) == 0) node.hostname = name.data();
  return node;
}

}  // namespace docket::app
