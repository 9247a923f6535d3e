#include "dialects/metronome/ids.h"

#include <gtest/gtest.h>

#include <regex>

#include "model/task.h"

namespace docket::metronome {
namespace {

// Compares the hand-written matchers with the expressions that errors quote, on every text of up to
// five characters from a small alphabet.
TEST(Ids, AgreeWithTheirPatterns) {
  const std::regex job(R"(^([a-z0-9]+(\-+[a-z0-9]+)*)(\.([a-z0-9]+(\-+[a-z0-9]+)*))*$)");
  const std::regex schedule(R"(^([a-z0-9][a-z0-9\-]*[a-z0-9]+)$)");
  constexpr std::string_view kAlphabet = "a0-.A";
  std::size_t combinations = 1;
  for (std::size_t length = 0; length <= 5; ++length, combinations *= kAlphabet.size()) {
    for (std::size_t number = 0; number < combinations; ++number) {
      std::string text;
      for (std::size_t i = 0, rest = number; i < length; ++i, rest /= kAlphabet.size()) {
        text.push_back(kAlphabet[rest % kAlphabet.size()]);
      }
      ASSERT_EQ(is_job_id(text), std::regex_match(text, job)) << text;
      ASSERT_EQ(is_schedule_id(text), std::regex_match(text, schedule)) << text;
    }
  }
}

TEST(Ids, OfPathsDropEmptySegments) {
  EXPECT_EQ(job_id_of_path("a.b"), "a.b");
  EXPECT_EQ(job_id_of_path("..a...b.."), "a.b");
  EXPECT_EQ(job_id_of_path("..."), "");
  EXPECT_EQ(job_id_of_path("a.B"), std::nullopt);
  EXPECT_EQ(job_id_of_path("a.-"), std::nullopt);
  EXPECT_EQ(job_id_of_path("a b"), std::nullopt);
}

TEST(Ids, TasksHoldJobRunAndToken) {
  std::string id;
  append_task_id(id, "prod.email", "20190307204634kC8Rs", TaskId{77});
  EXPECT_EQ(id, "prod_email_20190307204634kC8Rs." + model::uuid_of(TaskId{77}));
}

}  // namespace
}  // namespace docket::metronome
