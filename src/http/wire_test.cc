#include "http/wire.h"

#include <gtest/gtest.h>

namespace docket::http {
namespace {

std::string head(const Response& response, HeadOptions options) {
  std::string out;
  options.date = "D";
  append_head(out, response, options);
  return out;
}

TEST(Wire, RendersAHead) {
  Response response;
  response.status = 201;
  response.content_type = "application/json";
  response.body = "{}";
  response.headers = {{"Location", "/a"}};
  EXPECT_EQ(
      head(response, {.server = "docket"}),
      "HTTP/1.1 201 Created\r\nServer: docket\r\nDate: D\r\nContent-Type: application/json\r\n"
      "Location: /a\r\nContent-Length: 2\r\n\r\n");
}

TEST(Wire, OmitsWhatIsEmptyOrForbidden) {
  EXPECT_EQ(head({}, {}), "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(head({.status = 204}, {.close = true}),
            "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(head({.status = 304}, {.http10 = true}),
            "HTTP/1.1 304 Not Modified\r\nDate: D\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(head({}, {.form = BodyForm::kChunked}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(head({}, {.form = BodyForm::kUntilClose, .close = true}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nConnection: close\r\n\r\n");
}

TEST(Wire, HandlersCannotBreakTheFraming) {
  Response response;
  response.headers = {{"content-LENGTH", "7"},
                      {"Transfer-Encoding", "chunked"},
                      {"Bad\r\nName", "x"},
                      {"", "x"},
                      {"X", "a\r\nSet-Cookie: b"}};
  EXPECT_EQ(head(response, {}),
            "HTTP/1.1 200 OK\r\nDate: D\r\nX: a  Set-Cookie: b\r\nContent-Length: 0\r\n\r\n");
}

TEST(Wire, FramesChunks) {
  std::string out;
  append_chunk(out, std::string(26, 'x'));
  append_last_chunk(out);
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(DateCache, RendersImfFixdate) {
  DateCache date;
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
  EXPECT_EQ(date.at(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(1709164800), "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace docket::http
