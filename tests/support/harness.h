#pragma once

// The whole server without sockets, processes or threads: engine, loop, a store in memory and
// fakes at every other port.
//
//   Harness docket;
//   docket.add_job("a");
//   TaskId run = docket.start("a");
//   docket.finish_attempt(run, 0);           // its process exits 0
//   docket.advance(std::chrono::hours{1});   // timers fire on the way, in order
//   docket.restart();                        // kill -9 and start again; processes live on
//
// A door is tested with ask(): the request goes through the real router, everything runs until the
// answer is there.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/loop.h"
#include "http/access.h"
#include "http/door.h"
#include "http/server.h"
#include "kinds/maintenance/maintenance_kind.h"
#include "kinds/process/process_kind.h"
#include "kinds/process/spec.h"
#include "kinds/rollout/rollout_kind.h"
#include "kinds/test/test_kind.h"
#include "store/memory/memory_store.h"
#include "support/fakes.h"

namespace docket::testing {

// Monday 2024-01-15 10:00:00 UTC: an ordinary working day.
Time working_day();

std::vector<model::State> states(const std::vector<model::Task>& tasks);

class Harness {
 public:
  explicit Harness(engine::Settings with = roomy(), Time start = working_day());

  // A node with room for everything a small test starts.
  static engine::Settings roomy();
  static engine::Settings one_core();  // and as much of the rest

  // Runs what is ready: posted work, commits, answers.
  void settle() { reactor.run_ready(); }
  // Work on the engine; it is committed.
  void change(const std::function<void(engine::Engine&, Time)>& work);
  // The same of reporters.
  void operate(const std::function<void(engine::Operations&, Time)>& work);
  // Moves time, firing timers at their instants.
  void advance(Duration by);
  void advance_to(Time when);
  // The server dies with everything that was not durable; a new one starts. downtime passes in
  // between.
  void restart(Duration downtime = Duration::zero());

  model::JobDefinition job(const std::string& id) const;  // cmd "true", 0.1 cpus, 32 MiB
  void add_job(const std::string& id);
  void add_job(model::JobDefinition definition,
               std::vector<model::ScheduleDefinition> schedules = {});
  // Puts in what the engine would refuse today, as a store of an older docket may hold it.
  // Restarts.
  void find_job_in_store(model::JobDefinition definition);
  model::ScheduleDefinition schedule(const std::string& cron,
                                     const std::string& zone = "UTC") const;  // id "nightly"
  TaskId start(const std::string& job_id,
               std::shared_ptr<const model::RunParameters> parameters = nullptr);
  void stop(TaskId run);
  // The newest attempt of a run: its id; starts it, if it has not started; ends it.
  TaskId newest_attempt(TaskId run) const;
  void run_attempt(TaskId run);
  void finish_attempt(TaskId run, int code);
  // As stored, whether live or long over.
  model::Task stored(TaskId id) const;
  std::vector<model::Task> stored_runs(const std::string& job_id) const;  // oldest first

  // Sends a request through the door's routes and returns its answer; fails the test if none
  // comes.
  http::Response ask(const http::Door& door, const std::string& method, const std::string& target,
                     const std::string& body = {},
                     http::Fields headers = {{"content-type", "application/json"}});

  // The same through a listener's whole site: mounts, gates, and `access` where it is set.
  http::Response ask(http::Site site, const std::string& method, const std::string& target,
                     const std::string& body, http::Fields headers);
  // The same for a request whose answer may come later: the returned optional has it once it is
  // there.
  std::shared_ptr<std::optional<http::Response>> send(http::Site site, const std::string& method,
                                                      const std::string& target,
                                                      const std::string& body,
                                                      http::Fields headers);
  std::optional<http::AccessList> access;  // none: the server is open
  engine::Settings settings;               // from the next start on

  engine::Engine& engine() { return *engine_; }
  engine::Loop& loop() { return *loop_; }

  FakeClock clock;
  SeededRandom random{42};
  FakeVault vault;
  FakeReactor reactor;
  FakeExecutor executor;
  FakeExecutor tester;  // under the name that the kind `test` uses
  bool has_test_executor = true;
  FakeExecutor carer;                        // for housekeeping
  engine::Executor* care_executor = &carer;  // from the next start on
  FakeExecutor hands;                        // on nodes of clusters
  FakeLogs logs;
  std::shared_ptr<store::MemoryDisk> disk = std::make_shared<store::MemoryDisk>();
  std::unique_ptr<store::MemoryStore> store;
  std::unique_ptr<FakeCommitter> committer;
  std::unique_ptr<FakeArchive> archive;

 private:
  void boot();
  engine::Executors executors();

  kinds::ProcessKind kind_{std::chrono::seconds{3}};
  kinds::MaintenanceKind maintenance_kind_;
  kinds::RolloutKind rollout_kind_;
  kinds::TestKind test_kind_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Loop> loop_;
};

}  // namespace docket::testing
