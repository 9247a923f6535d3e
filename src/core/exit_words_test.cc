#include "core/exit_words.h"

#include <gtest/gtest.h>

namespace docket {
namespace {

TEST(ExitWords, DescribeCodesAndSignals) {
  EXPECT_EQ(words_of_exit(3, 0), "exit code 3");
  EXPECT_EQ(words_of_exit(0, 9), "killed by signal 9 (SIGKILL)");
  EXPECT_EQ(words_of_exit(0, 15), "killed by signal 15 (SIGTERM)");
  EXPECT_EQ(words_of_exit(0, 99), "killed by signal 99");
}

}  // namespace
}  // namespace docket
