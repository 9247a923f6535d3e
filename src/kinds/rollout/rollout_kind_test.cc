#include "kinds/rollout/rollout_kind.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exec/ssh/launch.h"
#include "kinds/rollout/spec.h"
#include "kinds/rollout/topology.h"
#include "model/record_id.h"
#include "support/harness.h"

namespace docket::kinds {
namespace {

using engine::Engine;
using model::State;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// A cluster of two datacenters with two racks of two nodes each: a b | c d and e f | g h. Seeds are
// the first of each datacenter.
class RolloutKindTest : public ::testing::Test {
 protected:
  RolloutKindTest() {
    credential = add(kCredentialFamily, {}, "root", R"({"login-user":"me","become-mode":"sudo"})",
                     {{"login-password", "hunter2"}});
    const RecordId profile =
        add(kProfileFamily, {}, "p",
            R"({"datastax-version":"6.8.36","json":{"cassandra-yaml":{"a":1,"b":2}}})");
    cluster = add(kClusterFamily, {}, "c1",
                  fmt::format(R"({{"machine-credential-id":"{}","config-profile-id":"{}"}})",
                              model::uuid_of(credential), model::uuid_of(profile)));
    std::string name = "a";
    for (const char* datacenter : {"dc1", "dc2"}) {
      const RecordId dc = add(kDatacenterFamily, cluster, datacenter);
      for (const char* rack : {"r1", "r1", "r2", "r2"}) {
        nodes[name] = add(kNodeFamily, dc, name,
                          fmt::format(R"({{"ssh-management-address":"10.0.0.{}","rack":"{}",)"
                                      R"("converged":true,"seed":{}}})",
                                      nodes.size() + 1, rack, name == "a" || name == "e"));
        ++name[0];
      }
    }
  }

  RecordId add(const char* family, RecordId parent, const std::string& name,
               const std::string& text = "{}", const StringPairs& secrets = {}) {
    RecordId id;
    docket.change([&](Engine& engine, Time now) {
      const auto made = engine.create_record(
          {.family = family, .parent = parent, .name = name, .text = text}, secrets, now);
      ASSERT_TRUE(made) << made.error().message;
      id = (*made)->id;
    });
    return id;
  }
  TaskId start(RolloutSpec spec, RecordId of = {}) {
    spec.resource = of ? of : cluster;
    spec.cluster = rollout_of(docket.engine().records(), spec.resource)->cluster;
    TaskId id;
    docket.change([&](Engine& engine, Time now) {
      const auto run = engine.start_action(
          spec_of(spec), {.module = kRollout, .type = "restart", .abortable = true}, now);
      ASSERT_TRUE(run) << run.error().message;
      id = (*run)->task.id;
    });
    return id;
  }
  // Names of the nodes that are worked at, in the order of their starts.
  std::string active() {
    std::string names;
    for (const TaskId token : docket.hands.started) {
      if (docket.hands.attempts.contains(token)) names += name_of(token);
    }
    return names;
  }
  std::string name_of(TaskId attempt) {
    const model::Task step = docket.stored(docket.stored(attempt).parent);
    for (const auto& [name, value] : step.operation->labels) {
      if (name == kNameLabel) return value;
    }
    return "?";
  }
  TaskId attempt_on(const std::string& node) {
    for (const auto& [token, attempt] : docket.hands.attempts) {
      if (name_of(token) == node) return token;
    }
    ADD_FAILURE() << node << " is not worked at";
    return {};
  }
  void end(const std::string& node, int code = 0) {
    docket.hands.exit(attempt_on(node), code, docket.clock.now());
    docket.settle();
  }
  State state(TaskId task) { return docket.stored(task).state; }
  std::map<std::string, State> steps(TaskId run, const std::string& type) {
    std::map<std::string, State> states;
    for (const auto& [id, task] : docket.disk->state.tasks()) {
      if (task.root != run || !task.operation || task.operation->type != type) continue;
      for (const auto& [name, value] : task.operation->labels) {
        if (name == kNameLabel) states[value] = task.state;
      }
    }
    return states;
  }

  std::size_t count(TaskId run, const std::string& type) {
    std::size_t count = 0;
    for (const auto& [id, task] : docket.disk->state.tasks()) {
      count += task.root == run && task.operation && task.operation->type == type ? 1 : 0;
    }
    return count;
  }

  testing::Harness docket;
  RecordId credential, cluster;
  std::map<std::string, RecordId> nodes;
};

TEST_F(RolloutKindTest, StartsNodesAsTheStrategyAllows) {
  const TaskId run = start({.strategy = engine::Strategy::kRackPerDatacenter});
  EXPECT_EQ(active(), "abef");
  end("a");
  EXPECT_EQ(active(), "bef") << "the rest of its rack is at work";
  end("b");
  EXPECT_EQ(active(), "efcd");
  EXPECT_EQ(count(run, "rack"), 4U) << "also those of the same name, in two datacenters";
  for (const char* each : {"e", "f", "c", "d", "g", "h"}) end(each);
  EXPECT_EQ(state(run), State::kDone);
  EXPECT_EQ(steps(run, "datacenter"),
            (std::map<std::string, State>{{"dc1", State::kDone}, {"dc2", State::kDone}}));
  for (const auto& [name, lock] : docket.engine().locks().all()) EXPECT_FALSE(lock.holder) << name;
}

TEST_F(RolloutKindTest, StopsAtTheFirstFailure) {
  const TaskId run = start({.strategy = engine::Strategy::kNodePerDatacenter});
  EXPECT_EQ(active(), "ae");
  end("a", 1);
  EXPECT_EQ(active(), "e");
  EXPECT_EQ(state(run), State::kRunning) << "what has started goes on";
  end("e");
  EXPECT_EQ(state(run), State::kFailed);
  EXPECT_EQ(docket.stored(run).message, "1 of 8 nodes failed");
  const auto states = steps(run, "node");
  EXPECT_EQ(states.at("a"), State::kFailed);
  EXPECT_EQ(states.at("e"), State::kDone);
  EXPECT_EQ(states.at("b"), State::kAborted) << "never started";
}

TEST_F(RolloutKindTest, GoesOnAfterFailuresWhenAsked) {
  const TaskId run =
      start({.strategy = engine::Strategy::kCluster, .batch_size = 2, .continue_on_error = true});
  end("a", 1);
  while (!active().empty()) end(active().substr(0, 1));
  EXPECT_EQ(state(run), State::kFailed);
  EXPECT_EQ(docket.stored(run).message, "1 of 8 nodes failed");
  EXPECT_EQ(docket.hands.started.size(), 8U);
  EXPECT_EQ(steps(run, "datacenter").at("dc1"), State::kFailed);
  EXPECT_EQ(steps(run, "datacenter").at("dc2"), State::kDone);
}

TEST_F(RolloutKindTest, AScopeIsADatacenterOrANode) {
  start({}, nodes["g"]);
  EXPECT_EQ(active(), "g");
  end("g");
  start({.strategy = engine::Strategy::kCluster},
        docket.engine().records().find(nodes["a"])->parent);
  EXPECT_EQ(active(), "abcd");
}

TEST_F(RolloutKindTest, JobsOfAClusterRunOneAfterTheOther) {
  const TaskId first = start({}, nodes["a"]);
  const TaskId second = start({}, nodes["b"]);
  EXPECT_EQ(state(second), State::kQueued);
  EXPECT_EQ(active(), "a");
  end("a");
  EXPECT_EQ(state(first), State::kDone);
  EXPECT_EQ(active(), "b");
}

TEST_F(RolloutKindTest, SaysInOneSentenceWhyItCannotBegin) {
  const RecordId empty = add(kClusterFamily, {}, "c2");
  const TaskId none = start({}, empty);
  EXPECT_EQ(docket.stored(none).message, "there are no nodes in the scope of the job");
  const RecordId dc = add(kDatacenterFamily, empty, "dc1");
  const RecordId node = add(kNodeFamily, dc, "n1");
  const TaskId bare = start({}, node);
  EXPECT_EQ(state(bare), State::kFailed);
  EXPECT_EQ(docket.stored(bare).message, "node 'n1' has no machine credential");
  std::vector<std::string> errors;
  for (const auto& [seq, event] : docket.disk->state.events()) {
    if (event.root == bare && event.subtype == "error/ValidationError") {
      errors.push_back(event.message);
    }
  }
  EXPECT_THAT(errors, ElementsAre("node 'n1' has no machine credential"));
  EXPECT_THAT(steps(bare, "node"), IsEmpty());
  EXPECT_THAT(docket.hands.started, IsEmpty());
}

TEST_F(RolloutKindTest, AnAbortStopsWhatIsAtWorkAndAwaitsIt) {
  const TaskId run = start({.strategy = engine::Strategy::kNodePerDatacenter});
  const TaskId waiting = start({});
  docket.change([&](Engine& engine, Time now) {
    ASSERT_TRUE(engine.abort_task(waiting, now));
    ASSERT_TRUE(engine.abort_task(run, now));
  });
  EXPECT_EQ(state(waiting), State::kAborted) << "it had not begun";
  EXPECT_EQ(state(run), State::kRunning);
  EXPECT_THAT(docket.hands.stopped, UnorderedElementsAre(attempt_on("a"), attempt_on("e")));
  docket.hands.exit(attempt_on("a"), 0, docket.clock.now(), 15);
  docket.settle();
  end("e");
  EXPECT_EQ(state(run), State::kAborted);
  EXPECT_EQ(steps(run, "node").at("a"), State::kAborted);
  EXPECT_EQ(steps(run, "node").at("e"), State::kDone) << "it had finished";
  EXPECT_EQ(docket.hands.started.size(), 2U);
}

TEST_F(RolloutKindTest, WaitsForAnOperatorWhereItIsTold) {
  const TaskId run = start({.strategy = engine::Strategy::kCluster, .hold = {{1}}});
  EXPECT_EQ(active(), "a");
  docket.change([&](Engine& engine, Time now) {
    EXPECT_EQ(engine.ask(run, "release", "", now).error().kind, ErrorKind::kConflict);
    EXPECT_EQ(engine.ask(run, "pause", "", now).error().kind, ErrorKind::kInvalid);
  });
  end("a");
  EXPECT_EQ(docket.stored(run).planned->word, "held");
  EXPECT_EQ(active(), "");
  docket.restart();
  EXPECT_EQ(docket.stored(run).planned->word, "held");
  docket.change(
      [&](Engine& engine, Time now) { ASSERT_TRUE(engine.ask(run, "release", "", now)); });
  EXPECT_EQ(active(), "ebcdfgh");
  EXPECT_EQ(docket.stored(run).planned->word, "");
}

TEST_F(RolloutKindTest, GoesOnAfterARestartOfTheServer) {
  const TaskId run = start({.strategy = engine::Strategy::kNodePerDatacenter});
  end("a");
  EXPECT_EQ(active(), "eb");
  docket.restart();
  EXPECT_EQ(docket.hands.attempts.size(), 2U) << "both are found, and nothing starts twice";
  end("b");
  EXPECT_EQ(active(), "ec");
  while (!active().empty()) end(active().substr(0, 1));
  EXPECT_EQ(state(run), State::kDone);
  EXPECT_EQ(docket.hands.started.size(), 8U);
}

TEST_F(RolloutKindTest, ANodeIsGivenItsSettingsAndSecrets) {
  const RecordId own = add(kProfileFamily, {}, "q",
                           R"({"datastax-version":"6.8.36","json":{"cassandra-yaml":{"b":3}}})");
  docket.change([&](Engine& engine, Time now) {
    const model::Record before = *engine.records().find(nodes["a"]);
    ASSERT_TRUE(engine.update_record(
        before.id,
        {.name = "a",
         .text = fmt::format(R"({{"ssh-management-address":"::1","ssh-management-port":2222,)"
                             R"("converged":true,"config-profile-id":"{}"}})",
                             model::uuid_of(own))},
        {}, now));
  });
  start({.dry_run = true}, nodes["a"]);
  const auto& attempts = docket.hands.attempts;
  const auto* work = engine::get_if<ssh::NodeWork>(attempts.begin()->second.payload);
  ASSERT_TRUE(work);
  EXPECT_EQ(work->host, "::1");
  EXPECT_EQ(work->port, 2222);
  EXPECT_EQ(work->login_user, "me");
  EXPECT_EQ(work->become_mode, "sudo");
  EXPECT_THAT(work->secrets, ElementsAre(Pair("login-password", "hunter2")));
  EXPECT_EQ(work->job_type, "restart");
  EXPECT_EQ(work->product, "6.8.36");
  EXPECT_EQ(work->settings, R"({"cassandra-yaml":{"a":1,"b":3}})");
  EXPECT_TRUE(work->dry_run);
}

TEST_F(RolloutKindTest, ANodeThatIsGoneFails) {
  const TaskId run =
      start({.strategy = engine::Strategy::kNodePerCluster, .continue_on_error = true});
  docket.change([&](Engine& engine, Time) {
    for (const char* name : {"e", "b", "c"}) ASSERT_TRUE(engine.delete_record(nodes[name]));
  });
  end("a");
  EXPECT_EQ(active(), "d") << "those in between have failed at once";
  while (!active().empty()) end(active().substr(0, 1));
  EXPECT_EQ(docket.stored(run).message, "3 of 8 nodes failed");
  for (const auto& [id, task] : docket.disk->state.tasks()) {
    if (task.root == run && task.operation && task.state == State::kFailed &&
        task.operation->type == "node") {
      EXPECT_THAT(task.message, HasSubstr("the node does not exist any more"));
    }
  }
}

// Some launches of one plan cannot be made: the kind is asked about these when the others are.
TEST_F(RolloutKindTest, NodesThatAreGoneDoNotDisturbThoseThatStartWithThem) {
  const TaskId run = start({.strategy = engine::Strategy::kCluster, .canary = {{1}}});
  docket.change([&](Engine& engine, Time) {
    for (const char* name : {"e", "c"}) ASSERT_TRUE(engine.delete_record(nodes[name]));
  });
  end("a");
  EXPECT_EQ(active(), "bdfgh");
  EXPECT_EQ(state(run), State::kRunning);
  while (!active().empty()) end(active().substr(0, 1));
  EXPECT_EQ(docket.stored(run).message, "2 of 8 nodes failed");
}

// More nodes than one plan may lay out.
TEST_F(RolloutKindTest, ALargeClusterIsLaidOutInSlices) {
  const RecordId dc = add(kDatacenterFamily, cluster, "dc3");
  for (int i = 0; i < 700; ++i) {
    add(kNodeFamily, dc, fmt::format("n{:03}", i), R"({"rack":"r1","converged":true})");
  }
  const TaskId run = start({.strategy = engine::Strategy::kCluster});
  EXPECT_EQ(steps(run, "node").size(), 708U);
  EXPECT_EQ(docket.hands.started.size(), 708U);
}

TEST_F(RolloutKindTest, AClusterThatGoesBetweenTwoSlicesFailsTheJob) {
  const RecordId dc = add(kDatacenterFamily, cluster, "dc3");
  for (int i = 0; i < 400; ++i) add(kNodeFamily, dc, fmt::format("n{:03}", i));
  const auto subscription = docket.loop().subscribe([&](const engine::Notice& notice) {
    if (notice.event.message != "job started") return;
    docket.loop().call<bool>(
        [&](Engine& engine, Time) -> Result<bool> {
          return engine.delete_record(cluster).has_value();
        },
        [](const Result<bool>& gone) { EXPECT_TRUE(gone.value()); });
  });
  const TaskId run = start({.type = RolloutType::kInstall});
  EXPECT_EQ(state(run), State::kFailed);
  EXPECT_THAT(docket.stored(run).message, HasSubstr("does not exist any more"));
  EXPECT_THAT(docket.hands.started, IsEmpty());
}

}  // namespace
}  // namespace docket::kinds
