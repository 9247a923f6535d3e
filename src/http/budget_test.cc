// Many clients that hold much and move little: which are refused, which must give way, and which
// notice nothing.

#include "http/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "support/server_fixture.h"

namespace docket::http {
namespace {

using std::chrono::milliseconds;

constexpr char kPost[] =
    "POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
constexpr std::size_t kTotal = std::size_t{1} << 20U;
constexpr std::size_t kOrdinary = kTotal / 8 * 7;

TEST(BudgetTest, SmallRequestsHaveTheReserve) {
  Budget budget(kTotal);
  budget.change(0, kOrdinary - 100'000);
  EXPECT_TRUE(budget.has_room(100'000));
  EXPECT_FALSE(budget.has_room(100'001));
  EXPECT_TRUE(budget.has_room(Budget::kSmall));
  budget.change(0, 100'001);
  EXPECT_TRUE(budget.tight());
  EXPECT_FALSE(budget.admits(Budget::kSmall + 1));
  EXPECT_TRUE(budget.admits(Budget::kSmall));
  EXPECT_FALSE(budget.exceeded());
  budget.change(kOrdinary, kTotal + 1);
  EXPECT_TRUE(budget.exceeded());
  budget.change(kTotal + 1, 0);
  EXPECT_FALSE(budget.tight());
}

TEST(BudgetTest, SlowIsLessThanTheLeastRate) {
  EXPECT_TRUE(Budget::is_slow(8191, std::chrono::seconds(1)));
  EXPECT_FALSE(Budget::is_slow(8192, std::chrono::seconds(1)));
  EXPECT_TRUE(Budget::is_slow(8192, std::chrono::milliseconds(1001)));
  EXPECT_EQ(Budget::time_for(std::size_t{1} << 20U), std::chrono::seconds(128));
}

class BudgetOfServerTest : public ServerTest {
 protected:
  static constexpr std::size_t kBody =
      120'000;  // seven of these are nearly all of the ordinary budget

  BudgetOfServerTest() {
    limits_.buffered_bytes = kTotal;
    limits_.request_timeout = limits_.write_timeout = std::chrono::hours(1);
    route("GET", "/", answer_ok);
    route("GET", "/large", answer_with({.body = std::string(200'000, 'x')}));
    route("POST", "/large", answer_with({.body = std::string(200'000, 'x')}));
    route("POST", "/any", count_body, BodyRule::kOptional);
    route("POST", "/huge", [](const Request&, const Reply& reply) {
      reply({.body = std::string(std::size_t{64} << 20U, 'x')});
    });
  }

  static void count_body(const Request& request, const Reply& reply) {
    reply({.body = std::to_string(request.body.size())});
  }

  static std::string head(std::size_t length) {
    return std::string(kPost) + "Content-Length: " + std::to_string(length) + "\r\n";
  }

  Client& begin_body(std::size_t arrived) {
    clients_.push_back(std::make_unique<Client>(port_));
    clients_.back()->send(head(arrived + 1) + "\r\n" + std::string(arrived, 'x'));
    return *clients_.back();
  }

  // Begins bodies until a large one no longer has room.
  void fill() {
    for (int i = 0; i < 7; ++i) begin_body(kBody);
    EXPECT_EQ(status_of_announced(100'000, 503), 503);
  }

  // The status for a body that is announced but not sent; repeated until it is as expected.
  int status_of_announced(std::size_t length, int expected) {
    int status = 0;
    for (int i = 0; i < 10'000 && status != expected; ++i) {
      Client client(port_);
      client.send(head(length) + "Expect: 100-continue\r\n\r\n");
      status = client.read_answer(Client::Body::kNone).status;
    }
    return status;
  }

  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
};

TEST_F(BudgetOfServerTest, ABodyWithoutRoomIsRefusedBeforeItIsSent) {
  port_ = serve();
  fill();
  Client client(port_);
  client.send(head(100'000) + "\r\n");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.body, "503 /any");
  EXPECT_TRUE(answer.has("\r\nRetry-After: 1\r\n"));
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.was_reset());
}

TEST_F(BudgetOfServerTest, ABodyOfUnknownLengthIsRefusedWhenItHasGrown) {
  port_ = serve();
  fill();
  Client client(port_);
  client.send(std::string(kPost) + "Transfer-Encoding: chunked\r\n\r\n");
  client.send("30d40\r\n" + std::string(200'000, 'x'));
  EXPECT_EQ(client.read_answer().body, "503 /any");
}

TEST_F(BudgetOfServerTest, SmallRequestsPassAndRoomComesBack) {
  port_ = serve();
  fill();
  Client client(port_);
  EXPECT_EQ(client.get("/").body, "ok");
  client.send(head(50'000) + "\r\n" + std::string(50'000, 'x'));
  EXPECT_EQ(client.read_answer().body, "50000");
  clients_.clear();
  EXPECT_EQ(status_of_announced(500'000, 100), 100);
}

TEST_F(BudgetOfServerTest, LargeAnswersAreRefusedUnlessTheyReportAChange) {
  port_ = serve();
  EXPECT_EQ(Client(port_).get("/large").status, 200);
  fill();
  EXPECT_EQ(Client(port_).get("/large").body, "503 /large");
  Client client(port_);
  client.send("POST /large HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n");
  EXPECT_EQ(client.read_answer().body.size(), 200'000);
}

TEST_F(BudgetOfServerTest, ADoorMayLeaveOutRetryAfter) {
  door_->retry_after_s = 0;
  port_ = serve();
  fill();
  EXPECT_FALSE(Client(port_).get("/large").has("Retry-After"));
}

TEST_F(BudgetOfServerTest, TheLargestStalledConnectionGivesWay) {
  limits_.heartbeat = milliseconds(40);  // sweeps every 5 ms
  port_ = serve();
  Client& largest = begin_body(2 * kBody);
  EXPECT_EQ(status_of_announced(kOrdinary - 2 * kBody, 503), 503) << "it has arrived";
  for (int i = 0; i < 4; ++i) begin_body(kBody);  // with room to spare once it is gone
  for (int i = 0; i < 4; ++i) begin_body(Budget::kSmall - 10'000);
  EXPECT_EQ(largest.read_answer().body, "503 /any");
  for (const auto& client : clients_) {
    if (client.get() == &largest) continue;
    client->send("x");
    EXPECT_EQ(client->read_answer().status, 200);
  }
}

TEST_F(BudgetOfServerTest, AnAnswerBeyondTheBudgetIsCut) {
  port_ = serve();
  Client client(port_, 4096);
  client.send("POST /huge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\r\n");
  EXPECT_EQ(Client(port_).get("/").body, "ok");
  EXPECT_LT(client.read_to_end().size(), std::size_t{64} << 20U);
  EXPECT_EQ(status_of_announced(500'000, 100), 100);
}

// All that is counted while streams, pipelines and refusals pass is released in the end.
TEST_F(BudgetOfServerTest, NothingStaysCounted) {
  port_ = serve();
  for (std::size_t i = 0; i < 200; ++i) {
    Client client(port_);
    client.send(head(40'000) + "\r\n" + std::string(40'000, 'x') + head(90'000) + "\r\n" +
                std::string(i * 100, 'x'));
    EXPECT_EQ(client.read_answer().body, "40000");
  }
  EXPECT_EQ(status_of_announced(kOrdinary - 10'000, 100), 100);
}

}  // namespace
}  // namespace docket::http
