#include "kinds/rollout/spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "core/json_reader.h"

namespace docket::kinds {
namespace {

using ::testing::ElementsAre;

RolloutSpec read(const std::string& text, std::vector<JsonComplaint>* wrong = nullptr) {
  const auto value = parse_json(text).value();
  JsonComplaints complaints;
  JsonReader in(value, complaints);
  RolloutSpec spec = read_rollout_spec(in);
  if (wrong) *wrong = complaints.list;
  if (!wrong) EXPECT_TRUE(complaints.list.empty()) << text;
  return spec;
}

constexpr const char* kNode = "d0c4e700-0000-8001-8000-000000000007";

TEST(RolloutSpec, ReadsBackAsItWasWritten) {
  const RolloutSpec whole{.type = RolloutType::kInstall,
                          .resource = RecordId{7},
                          .cluster = RecordId{3},
                          .strategy = engine::Strategy::kRackPerDatacenter,
                          .batch_size = 4,
                          .continue_on_error = true,
                          .auto_bootstrap = false,
                          .dry_run = true,
                          .canary = {{1}, {5}, {20, true}},
                          .hold = {{12.5, true}},
                          .max_failures = NodeAmount{10, true},
                          .resume = true};
  for (const RolloutSpec& spec :
       {whole, RolloutSpec{.resource = RecordId{7}, .cluster = RecordId{3}}}) {
    EXPECT_EQ(spec_of(read(spec_of(spec).text())), spec_of(spec)) << spec_of(spec).text();
  }
}

TEST(RolloutSpec, SaysWhatIsWrong) {
  const std::string node =
      std::string(R"("cluster":")") + kNode + R"(","resource":")" + kNode + "\"";
  for (const std::string& text : {
           std::string(R"({"jobType":"restart","cluster":")") + kNode + "\"}",
           std::string(R"({"jobType":"restart","resource":"x","cluster":")") + kNode + "\"}",
           "{" + node + "}",
           R"({"jobType":"dance",)" + node + "}",
           R"({"jobType":"restart","strategy":"default",)" + node + "}",
           R"({"jobType":"restart","batchSize":0,)" + node + "}",
           R"({"jobType":"restart","canary":1,)" + node + "}",
           R"({"jobType":"restart","canary":[0],)" + node + "}",
           R"({"jobType":"restart","hold":["101%"],)" + node + "}",
           R"({"jobType":"restart","hold":["x%"],)" + node + "}",
           R"({"jobType":"restart","maxFailures":"nan%",)" + node + "}",
           R"({"jobType":"restart","canary":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)" + node +
               "}",
           R"({"jobType":"restart","more":1,)" + node + "}",
       }) {
    std::vector<JsonComplaint> wrong;
    read(text, &wrong);
    EXPECT_EQ(wrong.size(), 1U) << text;
  }
}

TEST(RolloutSpec, AmountsAreOfTheNodesThatThereAre) {
  EXPECT_EQ((NodeAmount{5}.of(3)), 5U);
  EXPECT_EQ((NodeAmount{20, true}.of(12)), 3U);
  EXPECT_EQ((NodeAmount{1, true}.of(12)), 1U);
  EXPECT_EQ((NodeAmount{100, true}.of(12)), 12U);
}

TEST(RolloutSpec, MakesTheRulesOfASequence) {
  const std::vector<SequenceNode> nodes(10);
  RolloutSpec spec{.type = RolloutType::kInstall, .resource = RecordId{7}, .cluster = RecordId{3}};
  EXPECT_TRUE(rules_of(spec, nodes, false).seeds_first);
  EXPECT_FALSE(rules_of(spec, nodes, false).joins_one_at_a_time);
  EXPECT_TRUE(rules_of(spec, nodes, true).joins_one_at_a_time);
  EXPECT_FALSE(rules_of(spec, nodes, true).seeds_first);
  spec.auto_bootstrap = false;
  EXPECT_FALSE(rules_of(spec, nodes, true).joins_one_at_a_time);
  spec = {.type = RolloutType::kRestart,
          .batch_size = 3,
          .canary = {{1}, {25, true}},
          .hold = {{50, true}, {1}}};
  const SequenceRules rules = rules_of(spec, nodes, false);
  EXPECT_FALSE(rules.seeds_first);
  EXPECT_EQ(rules.batch, 3U);
  EXPECT_EQ(rules.failures_allowed, 0U);
  EXPECT_THAT(rules.canary, ElementsAre(1U, 3U));
  EXPECT_THAT(rules.holds, ElementsAre(1U, 5U)) << "ascending";
  spec.max_failures = NodeAmount{19, true};
  EXPECT_EQ(rules_of(spec, nodes, false).failures_allowed, 1U) << "not more than the share";
  spec.max_failures.reset();
  spec.continue_on_error = true;
  EXPECT_EQ(rules_of(spec, nodes, false).failures_allowed, SequenceRules::kContinueOnError);
}

}  // namespace
}  // namespace docket::kinds
