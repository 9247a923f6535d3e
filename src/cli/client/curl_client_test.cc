// The real client against a server in this process: one connection, one prepared answer.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "cli/client/http_client.h"
#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Listens on a free loopback port; answers the first connection and records its request.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener_, generic, size), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    EXPECT_EQ(::getsockname(listener_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~OneAnswer() {
    if (thread_.joinable()) thread_.join();
    ::close(listener_);
  }
  OneAnswer(const OneAnswer&) = delete;
  OneAnswer& operator=(const OneAnswer&) = delete;

  void serve() {
    thread_ = std::thread([this] { serve_one(); });
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  const std::string& request() {
    if (thread_.joinable()) thread_.join();
    return request_;
  }

 private:
  void serve_one() {
    const int client = ::accept(listener_, nullptr, nullptr);
    std::array<char, 4096> piece{};
    while (!is_whole()) {
      const ssize_t got = ::recv(client, piece.data(), piece.size(), 0);
      if (got <= 0) break;
      request_.append(piece.data(), static_cast<std::size_t>(got));
    }
    EXPECT_EQ(::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(answer_.size()));
    ::close(client);
  }
  bool is_whole() const {
    const std::size_t head = request_.find("\r\n\r\n");
    if (head == std::string::npos) return false;
    const std::size_t length = request_.find("Content-Length: ");
    const std::size_t body =
        length == std::string::npos ? 0 : std::stoul(request_.substr(length + 16));
    return request_.size() >= head + 4 + body;
  }

  std::string answer_;
  std::string request_;
  int listener_ = -1;
  int port_ = 0;
  std::thread thread_;
};

std::string http(const std::string& status, const std::string& type, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

Outcome docket(const std::string& url, std::vector<std::string> words, std::string input = {}) {
  const auto client = make_curl_client();
  return run(*client,
             {.words = std::move(words), .input = std::move(input), .url = url, .token = "abc"});
}

TEST(CurlClient, SendsMethodPathTokenAndBody) {
  OneAnswer server(http("201 Created", "application/json", R"({"id":"r"})"));
  server.serve();
  EXPECT_EQ(docket(server.url(), {"job", "run", "a"}).out, "r\n");
  EXPECT_THAT(server.request(), StartsWith("POST /service/metronome/v1/jobs/a/runs HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nAuthorization: token=abc\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(server.request(), testing::EndsWith("\r\n\r\n{}"));
}

TEST(CurlClient, DeletesAndGetsHaveNoBody) {
  OneAnswer server(http("200 OK", "application/json", "{}"));
  server.serve();
  EXPECT_EQ(docket(server.url(), {"job", "remove", "a"}).code, 0);
  EXPECT_THAT(server.request(), StartsWith("DELETE /service/metronome/v1/jobs/a HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), Not(HasSubstr("Content-Length")));
}

TEST(CurlClient, LargeBodiesDoNotWaitForContinue) {
  OneAnswer server(http("201 Created", "application/json", "{}"));
  server.serve();
  const std::string text(2U << 20U, 'x');
  EXPECT_EQ(
      docket(server.url(), {"job", "add"}, R"({"id":"a","description":")" + text + R"("})").code,
      0);
  EXPECT_THAT(server.request(), Not(HasSubstr("Expect:")));
}

TEST(CurlClient, PathsStayAsTheyAre) {
  OneAnswer server(http("404 Not Found", "application/json", R"({"message":"Job not found"})"));
  server.serve();
  EXPECT_EQ(docket(server.url(), {"job", "show", ".."}).err, "Error: job \"..\" does not exist\n");
  EXPECT_THAT(server.request(), StartsWith("GET /service/metronome/v1/jobs/.. HTTP/1.1\r\n"));
}

TEST(CurlClient, StreamsTheBodyOfAGoodAnswerOnly) {
  const auto client = make_curl_client();
  std::string streamed;
  const BodySink sink = [&](std::string_view piece) {
    streamed += piece;
    return true;
  };
  OneAnswer good(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
  good.serve();
  EXPECT_EQ(client->send({.url = good.url(), .stream = sink})->body, "");
  EXPECT_EQ(streamed, "onetwo");
  OneAnswer bad(http("404 Not Found", "text/plain", "gone"));
  bad.serve();
  EXPECT_EQ(client->send({.url = bad.url(), .stream = sink})->body, "gone");
  EXPECT_EQ(streamed, "onetwo");
}

TEST(CurlClient, ASinkCanEndTheExchange) {
  const auto client = make_curl_client();
  OneAnswer server(http("200 OK", "text/plain", "data"));
  server.serve();
  const auto response =
      client->send({.url = server.url(), .stream = [](std::string_view) { return false; }});
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 200);
}

TEST(CurlClient, NobodyListens) {
  std::string url;
  {
    OneAnswer closed("");
    url = closed.url();
  }
  const Outcome done = docket(url, {"job", "list"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err,
              StartsWith("Error: cannot reach " + url + ": Failed to connect to 127.0.0.1 port"));
  EXPECT_THAT(done.err, HasSubstr("(is `docket serve` running there?)\n"));
}

// The listener's backlog accepts the connection, but it is never answered.
TEST(CurlClient, NobodyAnswers) {
  OneAnswer silent("");
  const auto client = make_curl_client({.connect_ms = 2000, .answer_ms = 50});
  const auto response = client->send({.url = silent.url()});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTimeout);
  const Outcome done = run(*client, {.words = {"job", "list"}, .url = silent.url()});
  EXPECT_THAT(done.err, HasSubstr("timed out"));
  EXPECT_THAT(done.err, Not(HasSubstr("running there")));
}

TEST(CurlClient, ATruncatedAnswerIsAnError) {
  OneAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[");
  server.serve();
  EXPECT_THAT(docket(server.url(), {"job", "list"}).err,
              StartsWith("Error: cannot reach " + server.url()));
}

TEST(CurlClient, TextsOf401And403) {
  OneAnswer unauthenticated(http("401 Unauthorized", "text/html", "<html>"));
  unauthenticated.serve();
  EXPECT_THAT(docket(unauthenticated.url(), {"job", "list"}).err,
              StartsWith("Error: authentication failed, please"));
  OneAnswer unauthorized(http("403 Forbidden", "text/html", "<html>"));
  unauthorized.serve();
  EXPECT_EQ(docket(unauthorized.url(), {"job", "list"}).err,
            "Error: you are not authorized to perform this operation\n");
}

TEST(CurlClient, OtherSchemesAreRefused) {
  const auto client = make_curl_client();
  EXPECT_FALSE(client->send({.url = "file:///etc/passwd"}));
}

}  // namespace
}  // namespace docket::cli
