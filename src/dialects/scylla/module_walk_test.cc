#include "dialects/scylla/module_walk.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/harness.h"
#include "support/transcript.h"

namespace docket::scylla {
namespace {

class ModuleWalkTest : public ::testing::Test {
 protected:
  static engine::Settings lasting() {
    engine::Settings settings = testing::Harness::roomy();
    settings.task_ttl = std::chrono::hours{1};
    return settings;
  }
  void add(int count) {
    docket_.operate([&](engine::Operations& operations, Time now) {
      for (int i = 0; i < count; ++i) {
        const auto made = operations.create({.module = "test"}, {}, true, now);
        ASSERT_TRUE(made);
        tasks_.push_back((*made)->task.id);
      }
    });
  }
  void finish(std::size_t at) {
    docket_.operate([&](engine::Operations& operations, Time now) {
      EXPECT_TRUE(operations.finish(tasks_[at], "", now));
    });
  }

  testing::Harness docket_{lasting()};
  std::vector<TaskId> tasks_;
};

// Live ones are found by their states, those that have ended by their listings.
TEST_F(ModuleWalkTest, RunsAreInTheModuleOfTheirKind) {
  model::JobDefinition tree = docket_.job("tree");
  tree.spec = kinds::spec_of(kinds::TestSpec{.steps = {{.name = "a"}}});
  docket_.add_job(tree);
  docket_.add_job("command");
  docket_.start("tree");
  docket_.stop(docket_.start("tree"));
  docket_.start("command");
  docket_.stop(docket_.start("command"));
  for (const auto& [module, job] : {std::pair{"test", "tree"}, {"process", "command"}}) {
    ModuleWalk walk({.module = module,
                     .has_runs = true,
                     .lanes = {0},
                     .internal = false,
                     .keyspace = module,
                     .table = job,
                     .now = docket_.clock.now()});
    std::string out;
    ASSERT_TRUE(walk.write(*docket_.store->open_reader().value(), out, SIZE_MAX));
    EXPECT_EQ(testing::parsed_json(out).as_array().size(), 2U) << out;
  }
}

// More than one page of the store; tasks end between the pages.
TEST_F(ModuleWalkTest, ATaskThatEndsMeanwhileIsShownOnce) {
  add(2500);
  finish(100);
  const auto reader = docket_.store->open_reader().value();
  ModuleWalk walk({.module = "test", .lanes = {0}, .now = docket_.clock.now()});
  std::string out;
  ASSERT_TRUE(walk.write(*reader, out, 2).value());
  finish(5);     // already shown
  finish(2400);  // not yet
  while (walk.write(*reader, out, out.size() + 1).value()) continue;

  const auto list = testing::parsed_json(out);
  std::vector<std::string> shown;
  for (const auto& task : list.as_array()) shown.emplace_back(task.at("task_id").as_string());
  std::vector<std::string> expected;
  for (const TaskId id : tasks_) expected.push_back(model::uuid_of(id));
  std::ranges::sort(shown);
  EXPECT_EQ(shown, expected);
}

}  // namespace
}  // namespace docket::scylla
