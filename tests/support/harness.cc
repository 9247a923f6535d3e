#include "support/harness.h"

#include <gtest/gtest.h>

#include "exec/care/launch.h"
#include "exec/ssh/launch.h"
#include "exec/test/launch.h"
#include "http/router.h"
#include "http/target.h"

namespace docket::testing {

Time working_day() {
  using namespace std::chrono;  // NOLINT: calendar literals
  return Time{sys_days{year{2024} / January / 15}} + hours{10};
}

std::vector<model::State> states(const std::vector<model::Task>& tasks) {
  std::vector<model::State> out;
  for (const model::Task& task : tasks) out.push_back(task.state);
  return out;
}

engine::Settings Harness::roomy() {
  engine::Settings settings;
  settings.node = {.cpus = 64,
                   .mem_mib = 1 << 20,
                   .disk_mib = 1 << 20,
                   .gpus = 0,
                   .hostname = "node1",
                   .attributes = {}};
  return settings;
}

engine::Settings Harness::one_core() {
  engine::Settings settings = roomy();
  settings.node.cpus = 1;
  return settings;
}

Harness::Harness(engine::Settings with, Time start) : settings(std::move(with)), clock(start) {
  boot();
}

engine::Executors Harness::executors() {
  const engine::Executors::Named care{care::kName, care_executor};
  const engine::Executors::Named ssh{ssh::kName, &hands};
  if (!has_test_executor) return engine::Executors(executor, {care, ssh});
  return engine::Executors(executor, {care, ssh, {test_executor::kName, &tester}});
}

void Harness::boot() {
  store = std::make_unique<store::MemoryStore>(disk);
  committer = std::make_unique<FakeCommitter>(*store, reactor);
  archive = std::make_unique<FakeArchive>(*store);
  engine_ = std::make_unique<engine::Engine>(
      settings, random, vault,
      engine::Kinds{&kind_, &maintenance_kind_, &test_kind_, &rollout_kind_});
  engine_->restore(store->load().value(), clock.now());
  loop_ = std::make_unique<engine::Loop>(*engine_, *committer, executors(), clock, reactor);
  executor.own_logs = &logs;
  bool ready = false;
  loop_->start([&](const Result<>& result) { ready = result.has_value(); });
  settle();
  EXPECT_TRUE(ready);
}

void Harness::restart(Duration downtime) {
  loop_.reset();
  engine_.reset();
  reactor = FakeReactor{};
  clock.set(clock.now() + downtime);
  boot();
}

void Harness::advance(Duration by) { advance_to(clock.now() + by); }

void Harness::advance_to(Time when) {
  settle();
  while (reactor.armed() != kNever && reactor.armed() <= when) {
    clock.set(std::max(clock.now(), reactor.armed()));
    reactor.fire_timer();
    settle();
  }
  clock.set(when);
  settle();
}

model::JobDefinition Harness::job(const std::string& id) const {
  kinds::ProcessSpec spec;
  spec.cpus = 0.1;
  spec.mem = 32;
  spec.cmd = "true";
  return {.id = id,
          .description = {},
          .labels = {},
          .dependencies = {},
          .spec = kinds::spec_of(std::move(spec))};
}

void Harness::add_job(const std::string& id) { add_job(job(id)); }

void Harness::add_job(model::JobDefinition definition,
                      std::vector<model::ScheduleDefinition> schedules) {
  bool added = false;
  loop_->call<bool>(
      [&](engine::Engine& engine, Time now) -> Result<bool> {
        const auto entry = engine.create_job(std::move(definition), std::move(schedules), now);
        if (!entry) return fail(entry.error());
        return true;
      },
      [&](const Result<bool>& result) {
        added = result.has_value();
        EXPECT_TRUE(result) << result.error().message;
      });
  settle();
  EXPECT_TRUE(added);
}

void Harness::change(const std::function<void(engine::Engine&, Time)>& work) {
  loop().call<bool>(
      [&](engine::Engine& engine, Time now) -> Result<bool> {
        work(engine, now);
        return true;
      },
      [](const Result<bool>& done) { EXPECT_TRUE(done); });
  settle();
}

void Harness::operate(const std::function<void(engine::Operations&, Time)>& work) {
  change([&](engine::Engine& engine, Time now) { work(engine.operations(), now); });
}

void Harness::find_job_in_store(model::JobDefinition definition) {
  add_job(definition.id);
  engine::JobRow row = engine_->job(definition.id)->row;
  model::Job job = *row.job;
  job.definition = std::move(definition);
  ++job.version;
  row.job = std::make_shared<const model::Job>(std::move(job));
  engine::Batch batch;
  batch.jobs.push_back(std::move(row));
  EXPECT_TRUE(store->commit(batch));
  restart();
}

model::ScheduleDefinition Harness::schedule(const std::string& cron,
                                            const std::string& zone) const {
  return {.id = "nightly", .cron = Cron::parse(cron).value(), .zone = Zone::find(zone).value()};
}

TaskId Harness::start(const std::string& job_id,
                      std::shared_ptr<const model::RunParameters> parameters) {
  TaskId id;
  loop_->call<TaskId>(
      [&](engine::Engine& engine, Time now) -> Result<TaskId> {
        const auto run = engine.start_run(job_id, parameters, now);
        if (!run) return fail(run.error());
        return (*run)->task.id;
      },
      [&](const Result<TaskId>& result) {
        EXPECT_TRUE(result) << result.error().message;
        id = result.value_or(TaskId{});
      });
  settle();
  return id;
}

void Harness::stop(TaskId run) {
  loop_->call<bool>([&](engine::Engine& engine,
                        Time now) -> Result<bool> { return engine.stop_run(run, now).has_value(); },
                    [](const Result<bool>& stopped) { EXPECT_TRUE(stopped && *stopped); });
  settle();
}

TaskId Harness::newest_attempt(TaskId run) const {
  const engine::Node* node = engine_->find_task(run);
  if (!node || node->children().empty()) return {};
  return node->newest_child().task.id;
}

void Harness::run_attempt(TaskId run) {
  executor.run(newest_attempt(run), clock.now());
  settle();
}

void Harness::finish_attempt(TaskId run, int code) {
  executor.exit(newest_attempt(run), code, clock.now());
  settle();
}

model::Task Harness::stored(TaskId id) const {
  const auto row = store->open_reader().value()->task(id).value();
  EXPECT_TRUE(row.has_value()) << "task " << id.value;
  return row ? row->task : model::Task{};
}

std::vector<model::Task> Harness::stored_runs(const std::string& job_id) const {
  engine::TaskQuery query;
  query.parent = TaskId{};
  query.job_id = job_id;
  query.order = engine::Order::kOldestFirst;
  query.limit = engine::kMaxPage;
  std::vector<model::Task> runs;
  const auto rows = store->open_reader().value()->tasks(query);
  for (const engine::TaskRow& row : rows.value()) runs.push_back(row.task);
  return runs;
}

namespace {

// What the server does between bytes and handler: see http/connection.cc.
std::optional<http::Response> refuse(const http::Match& match, const http::Request& request,
                                     const std::string& raw_path) {
  const http::Door& door = *match.door;
  const auto failure = [&](int status, const char* message, bool at_gate = false) {
    return door.envelope({status, message, raw_path, at_gate});
  };
  const int refusal = match.gate ? match.gate->refusal(request.identity, request.method) : 0;
  if (refusal != 0) {
    auto response = failure(refusal, "not allowed", true);
    if (refusal == 403) {
      response.headers.emplace_back(http::kPermissionHeader, match.gate->wanted(request.method));
    }
    return response;
  }
  if (match.status != 200) return failure(match.status, "refused");
  if (request.body.size() > door.body_limit) return failure(413, "too large");
  const int for_body = http::body_refusal(*match.route, request, !request.body.empty());
  if (for_body != 0) return failure(for_body, "not to be read");
  return std::nullopt;
}

}  // namespace

http::Response Harness::ask(const http::Door& door, const std::string& method,
                            const std::string& target, const std::string& body,
                            http::Fields headers) {
  // Borrowed: the door outlives this call.
  return ask(http::Site{{"", std::shared_ptr<const http::Door>(std::shared_ptr<void>{}, &door)}},
             method, target, body, std::move(headers));
}

http::Response Harness::ask(http::Site site, const std::string& method, const std::string& target,
                            const std::string& body, http::Fields headers) {
  const auto answer = send(std::move(site), method, target, body, std::move(headers));
  EXPECT_TRUE(*answer) << "no answer to " << method << " " << target;
  return answer->value_or(http::Response{});
}

std::shared_ptr<std::optional<http::Response>> Harness::send(http::Site site,
                                                             const std::string& method,
                                                             const std::string& target,
                                                             const std::string& body,
                                                             http::Fields headers) {
  auto answer = std::make_shared<std::optional<http::Response>>();  // shared with the handler
  const auto parts = http::split_target(target).value();
  const std::string path(parts.path);
  const auto router = http::Router::compile(std::move(site));
  http::Match match = router->match(method, path);
  http::Request request;
  request.method = method == "HEAD" ? "GET" : method;
  request.path = match.path;
  request.params = match.params;
  request.query = http::parse_query(parts.query).value();
  request.headers = std::move(headers);
  request.body = body;
  if (access) request.identity = access->identify(request.header("authorization").value_or(""));
  if (auto refusal = refuse(match, request, path)) {
    *answer = std::move(*refusal);
    return answer;
  }
  if (!http::keeps_body(*match.route, request)) request.body.clear();
  match.route->handler(std::move(request), [answer, head = match.head](http::Response response) {
    if (head) response.body.clear();
    *answer = std::move(response);
  });
  settle();
  return answer;
}

}  // namespace docket::testing
