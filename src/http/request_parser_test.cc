#include "http/request_parser.h"

#include <gtest/gtest.h>

using namespace std::string_literals;

namespace docket::http {
namespace {

using Step = RequestParser::Step;

// Feeds text in pieces of the given size, as the connection does: unused bytes are fed again with
// the next ones.
Step feed_pieces(RequestParser& parser, std::string_view text, std::size_t size) {
  std::string pending;
  RequestParser::Fed fed;
  for (std::size_t at = 0; at < text.size(); at += size) {
    pending += text.substr(at, size);
    for (;;) {
      fed = parser.feed(pending);
      pending.erase(0, fed.used);
      if (fed.step != Step::kHead) break;
      parser.expect_body(1000, RequestParser::Body::kKeep);
    }
    if (fed.step != Step::kMore) break;
  }
  return fed.step;
}

TEST(RequestParser, ReadsRequestsInPiecesOfAnySize) {
  constexpr std::string_view kText =
      "\r\nPOST /a?b=1 HTTP/1.1\r\nHost: x\r\nX-Mixed-CASE:  v \r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "3\r\nabc\r\n10;ext=1\r\n0123456789abcdef\r\n0\r\nTrailer: t\r\n\r\n";
  for (std::size_t size = 1; size <= kText.size(); ++size) {
    RequestParser parser(1000);
    ASSERT_EQ(feed_pieces(parser, kText, size), Step::kComplete) << size;
    EXPECT_EQ(parser.request().method, "POST");
    EXPECT_EQ(parser.target(), "/a?b=1");
    EXPECT_EQ(parser.request().body, "abc0123456789abcdef");
    EXPECT_EQ(parser.request().headers,
              (Fields{{"host", "x"}, {"x-mixed-case", "v"}, {"transfer-encoding", "chunked"}}));
  }
}

// Triggered an assertion in Beast, in builds that have assertions.
TEST(RequestParser, ReadsAnEmptyChunkedBodyInPieces) {
  RequestParser parser(1000);
  EXPECT_EQ(
      feed_pieces(parser,
                  "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 1),
      Step::kComplete);
}

TEST(RequestParser, ReadsOneRequestAtATime) {
  RequestParser parser(1000);
  const std::string two = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\n";
  auto fed = parser.feed(two);
  ASSERT_EQ(fed.step, Step::kHead);
  EXPECT_FALSE(parser.has_body());
  EXPECT_EQ(parser.feed(std::string_view(two).substr(fed.used)).step, Step::kComplete);
  EXPECT_TRUE(parser.keep_alive());
  parser.reset();
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.feed(std::string_view(two).substr(fed.used)).step, Step::kHead);
  EXPECT_EQ(parser.target(), "/2");
  EXPECT_TRUE(parser.http10());
  EXPECT_FALSE(parser.keep_alive());
}

int failure_of(std::string_view text, std::size_t piece) {
  RequestParser parser(1000);
  return feed_pieces(parser, text, piece) == Step::kFailed ? parser.failure() : 0;
}

TEST(RequestParser, RefusesMalformedRequests) {
  for (const char* text :
       {"\x16\x03\x01 tls\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n"}) {
    EXPECT_EQ(failure_of(text, 1000), 400) << text;
    EXPECT_EQ(failure_of(text, 1), 400) << text;
  }
  EXPECT_EQ(failure_of("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"s, 1000), 400);
}

// All of these are refused because the end of the body or the host is ambiguous, and for no other
// reason.
TEST(RequestParser, RefusesAmbiguousRequests) {
  const std::string chunks = "\r\n1\r\na\r\n0\r\n\r\n";
  const std::string host = "Host: x\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(failure_of("POST / HTTP/1.1\r\n" + host + chunked + chunks, 1000), 0);
  EXPECT_EQ(failure_of("GET / HTTP/1.0\r\n\r\n", 1000), 0) << "before there was a Host";
  for (const std::string& text :
       {"POST / HTTP/1.0\r\n" + host + chunked + chunks,
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\n" + chunked + chunks,
        "POST / HTTP/1.1\r\n" + host + chunked + "Transfer-Encoding: identity\r\n" + chunks,
        "POST / HTTP/1.1\r\n" + host + chunked + chunked + chunks,
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity, chunked\r\n" + chunks,
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n" + chunks,
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding:\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\n" + host + chunked + "Content-Length: 6\r\n" + chunks,
        "POST / HTTP/1.1\r\n" + host + "Content-Length: 6\r\n" + chunked + chunks,
        std::string("GET / HTTP/1.1\r\n\r\n"), "GET / HTTP/1.1\r\n" + host + host + "\r\n",
        "GET / HTTP/1.1\r\n" + host + "hOST: y\r\n\r\n",
        "GET / HTTP/1.0\r\n" + host + host + "\r\n"}) {
    EXPECT_EQ(failure_of(text, 1000), 400) << text;
    EXPECT_EQ(failure_of(text, 1), 400) << text;
  }
}

TEST(RequestParser, LimitsHeadsHoweverTheyArrive) {
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 200; ++i) many += "a: b\r\n";
  const std::string wide = "GET / HTTP/1.1\r\nHost: x\r\na: " + std::string(2000, 'x');
  const std::string uri = "GET /" + std::string(2000, 'x');
  for (const std::size_t piece : {1UL, 7UL, 100UL, 5000UL}) {
    EXPECT_EQ(failure_of(many + "\r\n", piece), 431) << piece;
    EXPECT_EQ(failure_of(wide, piece), 431) << piece;
    EXPECT_EQ(failure_of(uri, piece), 414) << piece;
    EXPECT_EQ(failure_of(uri + " HTTP/1.1\r\n\r\n", piece), 414) << piece;
  }
}

TEST(RequestParser, LimitsBodies) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(failure_of(head + "3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\n", 1000), 413);
  EXPECT_EQ(failure_of(head + "ffffffffffffffff\r\n", 1000), 413);
  EXPECT_EQ(failure_of(head + "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n", 1), 0);
}

// Found by fuzzing: the parser waited for the end until the body was too large, or for ever.
TEST(RequestParser, AQuoteInAChunkEndsOnItsLine) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string first = head + "1\r\na\r\n";
  for (const std::size_t piece : {1UL, 7UL, 1000UL}) {
    EXPECT_EQ(failure_of(head + "e;a=\"1.1\r\n" + std::string(2000, '$'), piece), 400) << piece;
    EXPECT_EQ(failure_of(first + "e;a=\"1\\\"\r\n" + std::string(2000, '$'), piece), 400) << piece;
    EXPECT_EQ(failure_of(first + "0;a=\"1\r\n\r\n", piece), 400) << piece;
    EXPECT_EQ(failure_of(head + "ffff;a=\"1\n" + std::string(2000, '$') + "\r\n", piece), 413)
        << piece << ": a bare line feed ends no line";
    EXPECT_EQ(failure_of(head + "1;a=\"1\\\"\"\r\na\r\n0\r\n\r\n", piece), 0) << piece;
  }
}

TEST(RequestParser, DropsBodiesOnRequest) {
  RequestParser parser(1000);
  ASSERT_EQ(
      parser.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n")
          .step,
      Step::kHead);
  EXPECT_TRUE(parser.has_body());
  EXPECT_EQ(parser.body_size(), 3U);
  EXPECT_TRUE(parser.expects_continue());
  parser.expect_body(3, RequestParser::Body::kDrop);
  EXPECT_EQ(parser.feed("abc").step, Step::kComplete);
  EXPECT_EQ(parser.request().body, "");
}

}  // namespace
}  // namespace docket::http
