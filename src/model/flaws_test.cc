#include "model/flaws.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::model {
namespace {

using ::testing::ElementsAre;

constexpr const char* kNul = "must not contain NUL characters";
constexpr const char* kControl = "must not contain control characters";

FieldError at(std::string path, std::string error) { return {std::move(path), {std::move(error)}}; }

template <class T>
std::vector<FieldError> flaws_of(const T& checked) {
  Flaws flaws;
  check(checked, flaws);
  return flaws.take();
}

TEST(Flaws, OfADefinition) {
  JobDefinition job;
  job.description = std::string(1, '\0');
  job.labels = {{"\x07", "x"}, {"lines", "a\nb"}};
  EXPECT_THAT(flaws_of(job), ElementsAre(at("/description", kNul), at("/labels/\x07", kControl)));
}

TEST(Flaws, ParametersOfARun) {
  RunParameters parameters{.env = {{"A", "a\nb"}, {"B", std::string(1, '\0')}, {"", "x"}},
                           .description = "\x1B[2J"};
  EXPECT_THAT(flaws_of(parameters), ElementsAre(at("/env/B", kNul), at("/env/", "must have a name"),
                                                at("/description", kControl)));
}

}  // namespace
}  // namespace docket::model
