#include "http/message.h"

#include <gtest/gtest.h>

namespace docket::http {
namespace {

TEST(Request, FindsQueryValuesAndHeaders) {
  Request request;
  request.query = {{"embed", "a"}, {"force", ""}, {"embed", "b"}};
  request.headers = {{"content-type", "text/json"}};
  EXPECT_EQ(request.query_value("embed"), "b");  // the last of repeated ones
  EXPECT_EQ(request.query_value("force"), "");
  EXPECT_EQ(request.query_value("none"), std::nullopt);
  EXPECT_EQ(request.header("content-type"), "text/json");
  EXPECT_EQ(request.header("accept"), std::nullopt);
}

}  // namespace
}  // namespace docket::http
