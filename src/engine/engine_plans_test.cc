// What plans do, and what becomes of those that cannot be carried out: with a kind that plans
// whatever the test says, and an engine with nothing around it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "engine/engine.h"
#include "support/fakes.h"

namespace docket::engine {
namespace {

using model::State;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class ScriptedKind : public Kind {
 public:
  std::string_view name() const override { return "scripted"; }
  model::SpecBodyPtr read(JsonReader&) const override { return nullptr; }
  void check(const model::JobDefinition&, model::Flaws&) const override {}
  model::Needs needs(const model::Job&, const model::RunParameters*,
                     std::string_view key) const override {
    const auto found = wants.find(std::string(key));
    return found == wants.end() ? model::Needs{} : found->second;
  }
  Plan plan(const View& view, const Happening& happening) const override {
    return script(view, happening);
  }
  Result<PayloadPtr> payload(const View&, const Node&, TaskId, const SecretSource&) const override {
    if (!payload_flaw.empty()) return fail(ErrorKind::kInvalid, payload_flaw);
    return payload_of(std::string("work"));
  }

  std::function<Plan(const View&, const Happening&)> script;
  std::string payload_flaw;
  std::map<std::string, model::Needs> wants;  // by key
};

std::shared_ptr<const model::EventDetail> of_resource(const std::string& name,
                                                      const std::string& before) {
  return std::make_shared<const model::EventDetail>(
      model::EventDetail{.resource = name, .before = before, .after = {}, .traceback = {}});
}

class Plans : public ::testing::Test {
 protected:
  // A run whose kind makes this plan when it is placed, and no other.
  TaskId run(Plan placed) {
    return run([placed = std::move(placed)](const View&, const Happening& happening) {
      return std::holds_alternative<Placed>(happening) ? placed : Plan{};
    });
  }
  TaskId run(std::function<Plan(const View&, const Happening&)> script) {
    kind.script = std::move(script);
    const std::string id = "job" + std::to_string(++jobs);
    model::JobDefinition job;
    job.id = id;
    job.spec = {.kind = "scripted", .body = nullptr};
    EXPECT_TRUE(engine.create_job(job, {}, now));
    const TaskId started = (*engine.start_run(id, nullptr, now))->task.id;
    turn();
    return started;
  }
  void turn() {
    engine.advance(now);
    for (Tick tick = engine.take(); !tick.batch->empty(); tick = engine.take()) {
      for (const model::Task& task : tick.batch->tasks) rows[task.id] = task;
      for (const model::Event& event : tick.batch->events) events.push_back(event);
      for (const StartEffect& start : tick.starts) starts.push_back(start.token);
      for (const StopEffect& stop : tick.stops) stops.push_back(stop.token);
      if (!next_tick) break;
      engine.advance(now);
    }
  }
  const Node* step(TaskId of, const std::string& key) { return engine.find_task(of)->step(key); }

  testing::SeededRandom random{1};
  testing::FakeVault vault;
  ScriptedKind kind;
  Engine engine{Settings{}, random, vault, {&kind}};
  Time now{std::chrono::hours{24 * 365 * 50}};
  std::map<TaskId, model::Task> rows;
  std::vector<model::Event> events;
  std::vector<TaskId> starts, stops;
  bool next_tick = true;  // advances until nothing changes
  int jobs = 0;
};

TEST_F(Plans, ThatCannotBeCarriedOutFailTheirRunAndNameTheKind) {
  const std::string long_text(kCellMax + 1, 'x');
  const std::pair<Plan, const char*> cases[] = {
      {{Launch{"nobody"}}, "an attempt of a step that does not exist"},
      {{Spawn{"a"}, Launch{"a"}, Launch{"a"}}, "a second attempt beside a live one"},
      {{Spawn{""}}, "a step without a key"},
      {{Spawn{"a", "nobody"}}, "a step below one that does not exist"},
      {{Spawn{"a"}, Finish{.key = "a"}, Spawn{"b", "a"}}, "a step below one that has ended"},
      {{Set{.key = "nobody", .word = "x"}}, "a change of a step that does not exist"},
      {{Set{.facts = "{"}}, "facts that are not a JSON object"},
      {{Set{.facts = "[1]"}}, "facts that are not a JSON object"},
      {{Set{.facts = "{\"a\":\"" + std::string(kFactsMax, 'x') + "\"}"}}, "or too long"},
      {{Spawn{"a"}, Set{.key = "a", .state = State::kDone}}, "a state that cannot follow"},
      {{Keep{"cell", long_text}}, "a cell without a name, or too long"},
      {{Finish{.state = State::kRunning}}, "an end in a state that is not final"},
      {{Stop{"nobody"}}, "an end of a step that does not exist"},
      {{Note{{"x"}, "nobody"}}, "a note of a step that does not exist"},
      {{Note{{.message = "x", .subtype = std::string(65, 'x'), .detail = {}}}},
       "a note with a long subtype"},
      {{Note{{"x", "", of_resource(std::string(1025, 'x'), "{}")}}},
       "a note of a resource with a long name"},
      {{Note{{"x", "", of_resource("/etc", "[]")}}},
       "a note whose before or after is not a JSON object, or too long"},
      {{Finish{.result = std::string(kResultMax + 1, '1')}}, "a result that is too long"},
      {Plan(kPlanMax + 1, Note{{"x"}}), "it has more than 1000 steps"}};
  for (const auto& [plan, why] : cases) {
    const TaskId id = run(plan);
    EXPECT_EQ(rows[id].state, State::kFailed) << why;
    EXPECT_THAT(rows[id].message, HasSubstr("The kind 'scripted' made a plan"));
    EXPECT_THAT(rows[id].message, HasSubstr(why));
  }
  const TaskId sound = run(Plan{Finish{}});
  EXPECT_EQ(rows[sound].state, State::kDone) << "other runs go on";
}

TEST_F(Plans, ATreeCannotBeDeeperThanTheLimit) {
  Plan plan;
  for (std::size_t i = 0; i <= kStepDepthMax; ++i) {
    plan.emplace_back(Spawn{std::to_string(i), i == 0 ? "" : std::to_string(i - 1)});
  }
  EXPECT_THAT(rows[run(plan)].message, HasSubstr("too far below"));
}

TEST_F(Plans, AreStoredInTheRows) {
  const TaskId id =
      run(Plan{Spawn{"a", "", "node"}, Spawn{"a"}, Set{.word = "canary", .facts = R"({"n":1})"},
               Set{.key = "a", .word = "draining", .completed = 3, .total = 4},
               Keep{"cell", "1", "a"}, Keep{"gone", "1"}, Keep{"gone", ""}, Note{{"hello"}, "a"}});
  EXPECT_EQ(rows[id].state, State::kRunning);
  EXPECT_EQ(*rows[id].planned, (model::Planned{.word = "canary", .facts = R"({"n":1})"}));
  const model::Task& a = rows[step(id, "a")->task.id];
  EXPECT_EQ(*a.planned, (model::Planned{.key = "a", .word = "draining", .cells = {{"cell", "1"}}}));
  EXPECT_EQ(a.operation->type, "node");
  EXPECT_EQ(model::progress_of(a, {}), (model::Progress{3, 4}));
  EXPECT_EQ(std::ranges::count(events, "hello", &model::Event::message), 1);
  EXPECT_EQ(engine.find_task(id)->children().size(), 1U) << "spawned twice is spawned once";
}

TEST_F(Plans, SettingTheSameStateStillSetsTheRest) {
  const TaskId id = run(Plan{Spawn{"a"}, Set{.key = "a", .state = State::kRunning},
                             Set{.key = "a", .state = State::kRunning, .word = "again"}});
  EXPECT_EQ(step(id, "a")->task.planned->word, "again");
}

TEST_F(Plans, AnAttemptSetsItsStepAndThoseAboveRunning) {
  const TaskId id = run(Plan{Spawn{"a"}, Spawn{"a/b", "a"}, Spawn{"c"}, Launch{"a/b"}});
  EXPECT_THAT(starts, SizeIs(1));
  EXPECT_EQ(step(id, "a")->task.state, State::kRunning);
  EXPECT_EQ(step(id, "c")->task.state, State::kCreated);
}

TEST_F(Plans, TheEndOfAStepEndsWhatIsBelow) {
  const TaskId id =
      run(Plan{Spawn{"a"}, Spawn{"a/b", "a"}, Launch{"a/b"}, Finish{State::kFailed, "why", "a"}});
  EXPECT_EQ(step(id, "a")->task.state, State::kFailed);
  EXPECT_EQ(step(id, "a")->task.message, "why");
  EXPECT_EQ(step(id, "a/b")->task.state, State::kAborted);
  EXPECT_EQ(stops, starts);
  EXPECT_EQ(engine.find_task(id)->task.state, State::kRunning);
}

TEST_F(Plans, AStepThatNeverRanIsNotDoneWithItsRun) {
  run(Plan{Spawn{"a"}, Finish{}});
  EXPECT_EQ(rows.rbegin()->second.planned->key, "a");
  EXPECT_EQ(rows.rbegin()->second.state, State::kAborted);
}

TEST_F(Plans, AFailedLaunchIsReported) {
  kind.payload_flaw = "no such secret";
  std::vector<std::string> told;
  run([&](const View&, const Happening& happening) -> Plan {
    if (std::holds_alternative<Placed>(happening)) return {Spawn{"a"}, Launch{"a"}};
    const auto* ended = std::get_if<Ended>(&happening);
    if (!ended) return {};
    told.push_back(ended->of.task.planned->key + ": " + ended->report.message);
    EXPECT_FALSE(ended->launched);
    return {Finish{State::kFailed, ended->report.message}};
  });
  EXPECT_THAT(told, ElementsAre("a: no such secret"));
  EXPECT_THAT(starts, SizeIs(0));
}

TEST_F(Plans, WakeUpsComeByName) {
  std::vector<std::string> told;
  run([&](const View& view, const Happening& happening) -> Plan {
    if (std::holds_alternative<Placed>(happening)) {
      return {Wake{.name = "late", .at = view.now() + seconds{2}},
              Wake{.name = "soon", .at = view.now() + seconds{1}},
              Wake{.name = "never", .at = view.now() + seconds{1}}, Wake{.name = "never"}};
    }
    if (const auto* due = std::get_if<Due>(&happening)) told.emplace_back(due->name);
    return {};
  });
  now += seconds{5};
  turn();
  EXPECT_THAT(told, ElementsAre("soon", "late"));
}

TEST_F(Plans, ThatContinueDoSoOnceATick) {
  int looks = 0;
  const TaskId id = run([&](const View&, const Happening& happening) -> Plan {
    if (std::holds_alternative<Look>(happening)) ++looks;
    if (looks == 3) return {Finish{}};
    return {Note{{"on"}}, More{}};
  });
  EXPECT_EQ(rows[id].state, State::kDone);
  looks = 0;
  next_tick = false;
  run([&](const View&, const Happening& happening) -> Plan {
    looks += std::holds_alternative<Look>(happening) ? 1 : 0;
    return {Note{{"on"}}, More{}};
  });
  EXPECT_EQ(looks, 0);
  turn();
  EXPECT_EQ(looks, 1);
  EXPECT_LE(engine.next_wake(), now) << "the loop comes back at once";
}

TEST_F(Plans, ARunThatIsAskedToStopMayTakeItsTime) {
  const TaskId id = run([](const View&, const Happening& happening) -> Plan {
    if (std::holds_alternative<Placed>(happening)) return {Launch{}};
    if (std::holds_alternative<Stopping>(happening)) return {Set{.word = "draining"}};
    return {};
  });
  ASSERT_TRUE(engine.stop_run(id, now));
  turn();
  EXPECT_EQ(rows[id].state, State::kRunning);
  EXPECT_TRUE(rows[id].stopping);
  EXPECT_EQ(rows[id].planned->word, "draining");
}

// ---- what waits is the queue's to begin

TEST_F(Plans, AKindCannotBeginAStepThatWaitsForItsNeeds) {
  const std::vector<model::LockRequest> lock{{.name = "db"}};
  kind.wants["a"] = kind.wants["b"] = {.locks = lock};
  for (const Step& too_early :
       {Step(Launch{"b"}), Step(Set{.key = "b", .state = State::kRunning}), Step(Launch{"b/c"})}) {
    const TaskId failed = run(Plan{Spawn{"b"}, Spawn{"b/c", "b"}, too_early});
    EXPECT_EQ(rows[failed].state, State::kFailed);
    EXPECT_THAT(rows[failed].message, HasSubstr("cannot be carried out"));
  }
}

TEST_F(Plans, AStepIsPlacedAndTheKindIsTold) {
  const std::vector<model::LockRequest> lock{{.name = "db"}};
  kind.wants["a"] = kind.wants["b"] = {.locks = lock};
  std::vector<std::string> placed;
  const TaskId started = run([&](const View&, const Happening& happening) -> Plan {
    const auto* place = std::get_if<Placed>(&happening);
    if (!place) return {};
    EXPECT_EQ(place->target.name, engine.targets().at(0).name);
    if (!place->of.parent) return {Spawn{"a"}, Spawn{"b"}};
    placed.push_back(place->of.task.planned->key);
    return {Launch{placed.back()}};
  });
  EXPECT_THAT(placed, ElementsAre("a"));
  EXPECT_EQ(step(started, "a")->task.state, State::kRunning);
  EXPECT_EQ(step(started, "b")->task.state, State::kQueued);
  EXPECT_EQ(engine.locks().find("db")->holder, step(started, "a")->task.id);
}

}  // namespace
}  // namespace docket::engine
