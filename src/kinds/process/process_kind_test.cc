#include "kinds/process/process_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/queue.h"
#include "engine/records.h"

namespace docket::kinds {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using engine::Finish;
using engine::Plan;
using engine::Step;
using engine::Wake;
using ::testing::Contains;
using ::testing::Pair;

constexpr Time kCreated{std::chrono::hours{24 * 365}};

class Secrets : public engine::SecretSource {
 public:
  Result<std::string> secret(const std::string& path) const override {
    if (path == "/db" || path == "/finance/db") return std::string("hunter2");
    if (path == "binary") return std::string("a\0b", 3);
    return fail(ErrorKind::kNotFound, "secret \"" + path + "\" is not in the secret store");
  }
  Result<std::string> unseal(const model::Record&, const std::string&) const override {
    return fail(ErrorKind::kNotFound, "no record");
  }
};

class ProcessKindTest : public ::testing::Test {
 protected:
  engine::View view(Time now, std::size_t attempts) {
    node.task = run;
    node.job = std::make_shared<const model::Job>(job());
    node.below = std::make_unique<engine::Node::Below>();
    for (std::uint64_t id = 1; id <= attempts; ++id) node.below->children[TaskId{id}] = nullptr;
    // The middle of the range of a pause.
    return {node, wakes, records, now, std::uint64_t{1} << 63U};
  }
  Result<engine::PayloadPtr> payload() {
    return kind.payload(view(kCreated, 0), node, TaskId{9}, secrets);
  }
  std::string flaw_of_payload() {
    const auto made = payload();
    return made ? "(none)" : made.error().message;
  }
  runner::LaunchSpec launched() { return *engine::get_if<runner::LaunchSpec>(payload().value()); }
  Plan plan(const engine::Happening& happening, Time now = kCreated) {
    return kind.plan(view(now, 0), happening);
  }
  Step ended(const AttemptReport& report, Time now = kCreated, std::size_t attempts = 1) {
    const Plan steps = kind.plan(view(now, attempts), engine::Ended{node, report});
    EXPECT_EQ(steps.size(), 1U);
    return steps.at(0);
  }
  std::int64_t pause_ms(std::size_t attempts) {
    const Step step = ended(exited(1), kCreated, attempts);
    return (std::get<Wake>(step).at - kCreated) / std::chrono::milliseconds{1};
  }
  static bool tries_again(const Step& step) { return std::holds_alternative<Wake>(step); }
  static bool succeeds(const Step& step) {
    const auto* end = std::get_if<Finish>(&step);
    return end && end->state == model::State::kDone;
  }
  model::Job job() const {
    model::Job made;
    made.definition.id = "prod.email";
    made.definition.spec = spec_of(spec);
    return made;
  }
  static AttemptReport exited(int code) {
    return {.token = TaskId{9},
            .phase = AttemptPhase::kExited,
            .started_at = kCreated,
            .exit_code = code};
  }
  static std::string failure(const Step& step) {
    const auto* end = std::get_if<Finish>(&step);
    return end && end->state == model::State::kFailed ? end->message : "(did not fail)";
  }

  const AttemptReport lost{
      .token = TaskId{9}, .phase = AttemptPhase::kLost, .message = "not known"};

  ProcessKind kind{std::chrono::seconds{3}};
  Secrets secrets;
  ProcessSpec spec;
  engine::Node node;
  engine::Wakes wakes;
  engine::Records records;
  const engine::Target here{.name = "node1"};
  model::Task run{.id = TaskId{8}, .name = "20190307204634kC8Rs", .created_at = kCreated};
};

TEST_F(ProcessKindTest, LaunchesTheCommandWithItsSurroundings) {
  spec.cmd = "work";
  spec.user = "nobody";
  spec.env = {{"A", std::string("1")}, {"PASSWORD", SecretRef{"db"}}};
  spec.secrets = {{"db", "/db"}};
  spec.volumes = {SecretVolume{"/etc/password", "db"}};
  auto parameters = std::make_shared<model::RunParameters>();
  parameters->env = {{"A", "2"}};
  run.parameters = parameters;
  const auto launch = launched();
  EXPECT_EQ(launch.cmd, "work");
  EXPECT_EQ(launch.user, "nobody");
  EXPECT_THAT(launch.env, Contains(Pair("A", "2"))) << "the run's parameters win";
  EXPECT_THAT(launch.env, Contains(Pair("PASSWORD", "hunter2")));
  EXPECT_THAT(launch.env, Contains(Pair("DOCKET_RUN_ID", "20190307204634kC8Rs")));
  EXPECT_THAT(
      launch.env,
      Contains(Pair("MESOS_TASK_ID",
                    "prod_email_20190307204634kC8Rs.d0c4e700-0000-8000-8000-000000000009")));
  ASSERT_EQ(launch.secret_files.size(), 1U);
  EXPECT_EQ(launch.secret_files[0].path, "etc/password") << "the working directory is its root";
  EXPECT_EQ(launch.secret_files[0].content, "hunter2");
  EXPECT_EQ(launch.kill_grace, std::chrono::seconds{3});
}

TEST_F(ProcessKindTest, ZeroGraceMeansNotGiven) {
  spec.kill_grace_s = 0;
  EXPECT_EQ(launched().kill_grace, std::chrono::seconds{3});
  spec.kill_grace_s = 1.5;
  EXPECT_EQ(launched().kill_grace, std::chrono::milliseconds{1500});
}

TEST_F(ProcessKindTest, SaysWhatItCannotRun) {
  spec.docker = Docker{.image = "alpine"};
  EXPECT_EQ(flaw_of_payload(), "Docker containers are not supported by this server yet");
  spec.docker.reset();
  spec.secrets = {{"gone", "/gone"}};
  EXPECT_EQ(flaw_of_payload(), "secret \"/gone\" is not in the secret store");
  spec.secrets = {};
  spec.env = {{"X", SecretRef{"nameless"}}};
  EXPECT_EQ(flaw_of_payload(), "secret \"nameless\" is used but not defined");
}

// The job was made before the doors checked this, or the secret was changed since.
TEST_F(ProcessKindTest, RefusesSecretsThatItMayNotOrCannotUse) {
  spec.secrets = {{"pw", "/finance/db"}};
  spec.env = {{"PW", SecretRef{"pw"}}};
  EXPECT_EQ(flaw_of_payload(),
            "secret \"/finance/db\" belongs to group finance: job prod.email may not use it");
  spec.secrets = {{"pw", "binary"}};
  EXPECT_EQ(flaw_of_payload(),
            "secret \"pw\" cannot be the variable PW: it must not contain NUL characters");
  spec.env = {};
  spec.volumes = {SecretVolume{"file", "pw"}};
  EXPECT_EQ(launched().secret_files[0].content.size(), 3U);
}

TEST_F(ProcessKindTest, NeverEndsWithTheFirstAttempt) {
  EXPECT_TRUE(succeeds(ended(exited(0))));
  EXPECT_EQ(failure(ended(exited(3))), "exit code 3");
  AttemptReport killed = exited(0);
  killed.signal = 9;
  EXPECT_EQ(failure(ended(killed)), "killed by signal 9 (SIGKILL)");
  killed.message = "Memory limit of 32 MiB exceeded";
  EXPECT_EQ(failure(ended(killed)), "Memory limit of 32 MiB exceeded");
}

TEST_F(ProcessKindTest, OnFailureTriesAgainUntilTheDeadline) {
  spec.restart = {.policy = RestartPolicy::kOnFailure, .active_deadline_s = 30};
  EXPECT_TRUE(tries_again(ended(exited(1), kCreated + std::chrono::seconds{29})));
  EXPECT_EQ(failure(ended(exited(1), kCreated + std::chrono::seconds{30})), "exit code 1");
  EXPECT_TRUE(succeeds(ended(exited(0), kCreated + std::chrono::hours{1})));
}

// What fails at once must not keep the machine busy.
TEST_F(ProcessKindTest, PausesGrowFromTheSecondRestartOnUnlessTheJobSaysOtherwise) {
  spec.restart.policy = RestartPolicy::kOnFailure;
  EXPECT_EQ(pause_ms(1), 0);
  EXPECT_EQ(pause_ms(2), 75);  // three quarters of 100
  EXPECT_EQ(pause_ms(3), 150);
  EXPECT_EQ(pause_ms(100), 3750);
  spec.restart.backoff = Backoff{.first_s = 8, .max_s = 20};
  EXPECT_EQ(pause_ms(1), 6000);
  EXPECT_EQ(pause_ms(2), 12000);
  EXPECT_EQ(pause_ms(3), 15000);
  spec.restart.backoff = Backoff{.first_s = 0, .max_s = 0};
  EXPECT_EQ(pause_ms(50), 0);
}

TEST_F(ProcessKindTest, APauseThatOutlastsTheDeadlineIsNotBegun) {
  spec.restart = {.policy = RestartPolicy::kOnFailure, .active_deadline_s = 30};
  spec.restart.backoff = Backoff{.first_s = 60, .max_s = 60};
  EXPECT_EQ(failure(ended(exited(1))), "exit code 1");
}

TEST_F(ProcessKindTest, AttemptsCanBeCounted) {
  spec.restart = {.policy = RestartPolicy::kOnFailure, .max_attempts = 3};
  EXPECT_TRUE(tries_again(ended(exited(1), kCreated, 2)));
  EXPECT_EQ(failure(ended(exited(1), kCreated, 3)), "exit code 1, after 3 attempts");
}

TEST_F(ProcessKindTest, ALostAttemptHasFailedAndOnlyThePolicyStartsItAgain) {
  EXPECT_EQ(failure(ended(lost)), "not known");
  spec.restart = {.policy = RestartPolicy::kOnFailure, .active_deadline_s = 30};
  EXPECT_TRUE(tries_again(ended(lost)));
  EXPECT_EQ(failure(ended(lost, kCreated + std::chrono::seconds{30})), "not known");
}

TEST_F(ProcessKindTest, OnLostRestartRestartsLostAttemptsOnly) {
  spec.on_lost = OnLost::kRestart;
  EXPECT_TRUE(tries_again(ended(lost)));
  EXPECT_EQ(failure(ended(exited(1))), "exit code 1");
  spec.restart.active_deadline_s = 30;
  EXPECT_EQ(failure(ended(lost, kCreated + std::chrono::seconds{30})), "not known");
}

TEST_F(ProcessKindTest, AFailedLaunchIsNotTriedAgain) {
  spec.restart.policy = RestartPolicy::kOnFailure;
  const AttemptReport unmade{.token = TaskId{9},
                             .phase = AttemptPhase::kExited,
                             .message = "secret \"x\" is not in the secret store"};
  EXPECT_EQ(failure(plan(engine::Ended{node, unmade, false}).at(0)), unmade.message);
}

TEST_F(ProcessKindTest, ATimeoutCountsFromTheStartAcrossARestart) {
  spec.timeout_s = 60;
  const auto limit = [](const Plan& steps) { return std::get<Wake>(steps.back()).at; };
  EXPECT_EQ(limit(plan(engine::Placed{node, here})), kCreated + std::chrono::seconds{60});
  run.started_at = kCreated + std::chrono::seconds{5};
  EXPECT_EQ(limit(plan(engine::Look{}, kCreated + std::chrono::hours{1})),
            kCreated + std::chrono::seconds{65});
  const Plan late = plan(engine::Due{"timeout"});
  EXPECT_TRUE(std::holds_alternative<engine::Stop>(late.at(0)));
  EXPECT_EQ(failure(late.at(1)), "Timed out after 60 s");
}

TEST_F(ProcessKindTest, AfterARestartTheNextAttemptDoesNotWaitUnlessItsPauseBeganSince) {
  const auto wakes_of = [this] { return plan(engine::Look{}).size(); };
  EXPECT_EQ(wakes_of(), 1U);
  wakes.set(run.id, "backoff", {.at = kCreated + std::chrono::hours{1}});
  EXPECT_EQ(wakes_of(), 0U);
}

TEST_F(ProcessKindTest, DemandsSaturateInsteadOfOverflowing) {
  spec.cpus = spec.mem = spec.disk = 1e300;
  engine::Settings settings;
  const engine::Targets targets(settings.node);
  const engine::LockTable locks;
  const auto demand = [this] { return kind.needs(job(), nullptr, {}).demand; };
  EXPECT_FALSE(engine::Queue(settings, locks, targets).fits_empty(demand()));
  spec.cpus = 0.01;
  EXPECT_EQ(demand().cpus_micro, 10'000);
}

}  // namespace
}  // namespace docket::kinds
