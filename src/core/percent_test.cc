#include "core/percent.h"

#include <gtest/gtest.h>

namespace docket {
namespace {

TEST(Percent, KeepsWhatNeedsNoEscapeAndEscapesTheRest) {
  EXPECT_EQ(encode_segment("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(encode_segment("a/b c%?&=+\xC3\xA4"), "a%2Fb%20c%25%3F%26%3D%2B%C3%A4");
  EXPECT_EQ(encode_segment(std::string_view("\0", 1)), "%00");
}

}  // namespace
}  // namespace docket
