#pragma once

// `docket serve`: everything wired together. Members are declared in order of construction: each
// may use those above it, and is destroyed before them.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/commit_thread.h"
#include "app/config.h"
#include "app/disk_guard.h"
#include "app/kinds.h"
#include "app/read_pool.h"
#include "app/retention.h"
#include "app/system.h"
#include "app/work_thread.h"
#include "engine/engine.h"
#include "engine/loop.h"
#include "exec/care/care_executor.h"
#include "exec/runner/runner_executor.h"
#include "exec/test/test_executor.h"
#include "http/server.h"
#include "kinds/maintenance/orders.h"
#include "store/sqlite/sqlite_care.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::app {

class Service {
 public:
  // Opens the store and the runner; serves nothing yet.
  static Result<std::unique_ptr<Service>> open(ServeConfig config);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Serves until SIGTERM or SIGINT, or until the store fails. Returns the exit code. Running jobs
  // are never touched.
  int run();

 private:
  Service(ServeConfig config, std::unique_ptr<const Kinds> kinds,
          std::unique_ptr<store::SqliteStore> store, FileVault vault, engine::Snapshot snapshot);
  care::CareExecutor::Ports care_ports();
  engine::Executors executors();
  void admit_callers();
  Result<> read_access();
  void await_reload();
  void watch_disk();
  void open_doors();
  Result<> listen(const std::string& door, const Endpoint& endpoint, http::Site site);
  void stop(int exit_code);

  ServeConfig config_;
  boost::asio::io_context io_{1};
  SystemClock clock_;
  SystemRandom random_;
  FileVault vault_;
  DiskGuard disk_;
  std::unique_ptr<const Kinds> kinds_;
  std::unique_ptr<store::SqliteStore> store_;
  AsioReactor reactor_;
  runner::RunnerExecutor executor_;
  test_executor::TestExecutor test_executor_;  // for the kind `test`
  engine::Engine engine_;
  store::SqliteCare care_;
  Retention retention_;  // of the loop, which uses it through the executor
  WorkThread care_thread_;
  care::CareExecutor care_executor_;
  CommitThread committer_;
  engine::Loop loop_;
  ReadPool archive_;  // its reads use the executors' logs, and pass results to the loop
  kinds::Orders orders_;
  http::Server http_;
  boost::asio::signal_set signals_;
  boost::asio::signal_set reload_;  // SIGHUP: rereads the access list
  boost::asio::steady_timer disk_timer_;
  Time started_at_ = kNever;
  bool stopping_ = false;
  int exit_code_ = 0;
};

}  // namespace docket::app
