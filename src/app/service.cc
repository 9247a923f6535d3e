#include "app/service.h"

#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <csignal>

#include "app/access_file.h"
#include "app/data_directory.h"
#include "app/front_page.h"
#include "app/version.h"
#include "dialects/metronome/access.h"
#include "dialects/metronome/metronome.h"
#include "dialects/native/native.h"
#include "dialects/scylla/scylla.h"
#include "exec/runner/attempt_sweeper.h"
#include "exec/runner/epoch_file.h"
#include "exec/runner/users.h"
#include "http/local_trust.h"

namespace docket::app {
namespace {

// Everything must end within ten seconds of SIGTERM; requests in flight get most of that.
constexpr std::chrono::milliseconds kDrain = std::chrono::seconds{8};

// How often to check whether the disk is full, read-only or not mounted.
constexpr std::chrono::seconds kDiskInterval{1};

// The writer works on the newest pages; the operating system caches the rest as well as SQLite
// would.
constexpr std::uint32_t kWriterCacheKib = 8 * 1024;

// Large buffers of bodies and answers are returned to the system when freed. By default glibc
// adapts to their sizes and keeps them, in a heap that small objects then pin.
constexpr int kLargeBytes = 128 * 1024;
constexpr int kHeapKept = 4 * 1024 * 1024;  // free at its end, for the next busy tick
void return_large_buffers() {
  mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  mallopt(M_TRIM_THRESHOLD, kHeapKept);
}

const std::map<std::string, std::uint16_t> kNativePorts{{"metronome", 9000}, {"scylla", 10000}};

std::vector<std::string> runner_command(const ServeConfig& config) {
  std::vector<std::string> argv{"/proc/self/exe", "runner",
                                "--dir",          config.data_dir + "/runner",
                                "--log-bytes",    std::to_string(config.log_bytes),
                                "--processes",    std::to_string(config.attempt.processes),
                                "--open-files",   std::to_string(config.attempt.open_files),
                                "--core-bytes",   std::to_string(config.attempt.core_bytes)};
  if (!config.cgroups) argv.emplace_back("--no-cgroups");
  if (!config.cpu_quota) argv.emplace_back("--no-cpu-quota");
  return argv;
}

std::string backup_directory(const ServeConfig& config) {
  return config.backup_dir.empty() ? config.data_dir + "/backups" : config.backup_dir;
}

// Checked before anything is created: an empty directory may be a disk that is not mounted.
Result<> prepare_data(const ServeConfig& config) {
  const std::string& data = config.data_dir;
  if (auto there = check_store_is_there(data, config.require_store); !there) return there;
  for (const std::string& directory : {data, data + "/runner"}) {
    if (auto ready = prepare_directory(directory); !ready) return ready;
  }
  for (const char* file : {"/docket.db", "/docket.db-wal", "/docket.db-shm", "/secret.key"}) {
    if (auto kept = keep_private(data + file); !kept) return kept;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Service>> Service::open(ServeConfig config) {
  return_large_buffers();
  if (const auto checked = check_addresses(config); !checked) return fail(checked.error());
  if (const auto ready = prepare_data(config); !ready) return fail(ready.error());
  store::DiskReserve reserve(config.data_dir, config.reserve_bytes);
  auto kinds = std::make_unique<const Kinds>(config.engine, config.test_api);
  auto store = store::SqliteStore::open({.directory = config.data_dir,
                                         .writer_cache_kib = kWriterCacheKib,
                                         .reserve = &reserve,
                                         .specs = &kinds->all()});
  if (!store) return fail(store.error());
  auto snapshot = (*store)->load();
  if (!snapshot) return fail(snapshot.error());
  SystemRandom random;
  auto vault = FileVault::open(config.data_dir + "/secret.key", !snapshot->secrets.empty(), random);
  if (!vault) return fail(vault.error());
  snapshot->last_task =
      std::max(snapshot->last_task, runner::highest_token(config.data_dir + "/runner"));
  snapshot->epoch = std::max(snapshot->epoch, runner::epoch_seen(config.data_dir + "/runner"));
  if (const auto marked = mark_store_seen(config.require_store); !marked)
    spdlog::warn("{}", marked.error().message);
  auto service =
      std::unique_ptr<Service>(new Service(std::move(config), std::move(kinds), std::move(*store),
                                           std::move(*vault), std::move(*snapshot)));
  service->admit_callers();
  if (const auto read = service->read_access(); !read) return fail(read.error());
  return service;
}

Service::Service(ServeConfig config, std::unique_ptr<const Kinds> kinds,
                 std::unique_ptr<store::SqliteStore> store, FileVault vault,
                 engine::Snapshot snapshot)
    : config_(std::move(config)),
      vault_(std::move(vault)),
      disk_(config_.data_dir, config_.reserve_bytes),
      kinds_(std::move(kinds)),
      store_(std::move(store)),
      reactor_(io_, clock_),
      executor_(io_, {.dir = config_.data_dir + "/runner", .runner_argv = runner_command(config_)},
                [](const std::string& line) { spdlog::info("{}", line); }),
      test_executor_(clock_,
                     [this](Duration delay, std::function<void()> work) {
                       after(io_, delay, std::move(work));
                     }),
      engine_(config_.engine, random_, vault_, kinds_->all()),
      care_(config_.data_dir),
      retention_(engine_, loop_, clock_),
      care_thread_("docket-care"),
      care_executor_(care_ports(), backup_directory(config_)),
      committer_(*store_,
                 [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); }),
      loop_(engine_, committer_, executors(), clock_, reactor_, &disk_),
      archive_(*store_, config_.read_threads),
      orders_(backup_directory(config_)),
      http_(io_, config_.http),
      signals_(io_, SIGTERM, SIGINT),
      reload_(io_, SIGHUP),
      disk_timer_(io_),
      started_at_(clock_.now()) {
  engine_.restore(std::move(snapshot), started_at_);
  malloc_trim(0);  // memory used for loading is not needed again
}

Service::~Service() = default;

care::CareExecutor::Ports Service::care_ports() {
  return {.care = care_,
          .retention = retention_,
          .clock = clock_,
          .background = [this](std::function<void()> piece) { care_thread_.run(std::move(piece)); },
          .post = [this](std::function<void()> work) { boost::asio::post(io_, std::move(work)); }};
}

engine::Executors Service::executors() {
  const engine::Executors::Named care{care::kName, &care_executor_};
  if (!kinds_->test_api()) return engine::Executors(executor_, {care});
  return engine::Executors(executor_, {care, {test_executor::kName, &test_executor_}});
}

// Which users are served without a list, and under which names the server is addressed in any case.
void Service::admit_callers() {
  http_.answer_to(config_.hosts);
  auto peers = http::open_peer_owners();
  if (!peers.trouble.empty()) {
    spdlog::warn("{}: {}", peers.trouble,
                 peers.can_tell ? "connections are looked up in /proc/net/tcp, which is slower"
                                : "users of this machine cannot be told apart, so none is served "
                                  "without --allow-local-users or a token of an access list");
  }
  http_.trust(std::make_unique<http::LocalTrust>(config_.trust, std::move(peers.owners), geteuid(),
                                                 http::is_member));
}

Result<> Service::read_access() {
  if (config_.access_file.empty()) return {};
  auto list = read_access_file(config_.access_file);
  if (!list) return fail(list.error());
  http_.admit(std::move(*list));
  return {};
}

void Service::await_reload() {
  reload_.async_wait([this](const boost::system::error_code& error, int) {
    if (error) return;
    const auto read = read_access();
    if (read) spdlog::info("SIGHUP: the access list was read again");
    if (!read)
      spdlog::error("SIGHUP: the old access list stays in force: {}", read.error().message);
    await_reload();
  });
}

// Work that arrives after the check is refused at once; earlier work waits for the disk.
void Service::watch_disk() {
  disk_timer_.expires_after(kDiskInterval);
  disk_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopping_) return;
    loop_.check_disk();
    if (!disk_.is_gone()) return watch_disk();
    spdlog::critical("the store was deleted while the server had it open");
    stop(70);  // as in on_failure
  });
}

int Service::run() {
  await_reload();
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    spdlog::info("{}: stopping; running jobs continue", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    stop(0);
  });
  loop_.on_failure([this](const Error& error) {
    spdlog::critical("{}: nothing more is acknowledged; restart to see what is on disk",
                     error.message);
    stop(70);  // EX_SOFTWARE: a supervisor restarts the server
  });
  loop_.on_full([](const std::string& why) {
    if (!why.empty()) return spdlog::error("{}; new work is refused, running work continues", why);
    spdlog::info("the store can be written again: new work is accepted");
  });
  loop_.on_clock([](const engine::ClockWatch& clock) {
    if (!clock.held())
      return spdlog::info("the clock is trusted again, at {}", format_rfc3339(clock.trusted()));
    spdlog::warn(
        "the clock shows {}, but the time observed to pass gives {}: retention goes by the latter "
        "until the clock has been consistent for a day; `docket clock accept` accepts it now",
        format_rfc3339(clock.last().wall), format_rfc3339(clock.trusted()));
  });
  watch_disk();
  loop_.start([this](const Result<>& ready) {
    if (ready) return open_doors();
    spdlog::critical("cannot recover running work: {}", ready.error().message);
    stop(1);
  });
  io_.run();
  return exit_code_;
}

void Service::open_doors() {
  if (stopping_) return;
  for (const auto& [name, executor] : loop_.executors().all()) executor->sweep(archive_);
  auto metronome = metronome::make_metronome_door(
      loop_, archive_,
      {.leader = fmt::format("{}:{}", config_.hub.address, config_.hub.port),
       .started_at = started_at_,
       .config = shown_settings(config_)});
  auto native = native::make_native_door(
      loop_, archive_,
      {.version = kVersion,
       .started_at = started_at_,
       .user = runner::UserTable().find("", started_at_).value_or(runner::User{}).name,
       .other_users = geteuid() == 0,
       .maintenance = &orders_});

  const auto scylla_port = config_.port_of("scylla", kNativePorts.at("scylla"));
  auto scylla =
      scylla::make_scylla_door(loop_, archive_,
                               {.status_unregisters = config_.status_unregisters,
                                .test_api = config_.test_api,
                                .node = scylla_port ? scylla_port->address : config_.hub.address,
                                .maintenance = &orders_});
  const http::Mount tasks{"", scylla, scylla::gate()};
  const http::Mount router{"/service/metronome", metronome, metronome::router_gate()};
  // At the root of the hub the tasks door comes first, so that unknown paths are refused as that
  // API does.
  const http::Site hub{
      {native::kPrefix, native, native::gate()}, router, tasks, {"", make_front_page()}};
  if (const auto bound = listen("hub", config_.hub, hub); !bound) {
    spdlog::critical("{}", bound.error().message);
    return stop(1);
  }
  const std::map<std::string, http::Site> doors{{"metronome", {{"", metronome}, router}},
                                                {"scylla", {tasks}}};
  for (const auto& [door, site] : doors) {
    const auto endpoint = config_.port_of(door, kNativePorts.at(door));
    if (!endpoint) continue;
    if (const auto bound = listen(door, *endpoint, site); !bound)
      spdlog::warn("{}", bound.error().message);
  }
  if (config_.engine.paused) spdlog::warn("paused: no schedule starts a run");
  spdlog::info("docket {} is ready, data in {}", kVersion, config_.data_dir);
}

Result<> Service::listen(const std::string& door, const Endpoint& endpoint, http::Site site) {
  const auto port = http_.listen(endpoint.address, endpoint.port, std::move(site));
  if (!port) {
    return fail(port.error().kind,
                fmt::format("{}: cannot listen on {}:{}: {}", door, endpoint.address, endpoint.port,
                            port.error().message));
  }
  spdlog::info("{} listens on http://{}:{}", door, endpoint.address, *port);
  return {};
}

void Service::stop(int exit_code) {
  if (stopping_) return;
  stopping_ = true;
  exit_code_ = exit_code;
  care_executor_.shut();
  http_.stop(kDrain, [this] {
    // Housekeeping that was under way is known to have been stopped, not lost.
    care_executor_.on_idle([this] { loop_.drain([this] { io_.stop(); }); });
  });
}

}  // namespace docket::app
