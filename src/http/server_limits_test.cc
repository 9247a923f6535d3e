// What a careless or hostile client sees: every limit exceeded over a real socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "http/server.h"
#include "support/server_fixture.h"

namespace docket::http {
namespace {

using std::chrono::milliseconds;

class LimitsTest : public ServerTest {
 protected:
  LimitsTest() {
    route("GET", "/", answer_ok);
    route(
        "POST", "/any",
        [](Request request, const Reply& reply) {
          reply({.body = std::to_string(request.body.size())});
        },
        BodyRule::kAny);
    door_->body_limit = 1000;
  }

  static std::size_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    statm >> total >> resident;
    return resident * 4096;
  }
};

TEST_F(LimitsTest, LongHeadsAre431AndLongUris414) {
  limits_.header_bytes = 2000;
  const auto port = serve();
  Client wide(port);
  wide.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(3000, 'x'));
  EXPECT_EQ(wide.read_answer().status, 431);
  EXPECT_TRUE(wide.ended());
  Client uri(port);
  uri.send("GET /" + std::string(3000, 'x'));
  EXPECT_EQ(uri.read_answer().body, "414 ");
  EXPECT_TRUE(uri.ended());
  Client fits(port);
  fits.send("GET / HTTP/1.1\r\nHost: localhost\r\nX: " + std::string(1900, 'x') + "\r\n\r\n");
  EXPECT_EQ(fits.read_answer().status, 200);
}

TEST_F(LimitsTest, AHundredThousandHeadersAre431InBoundedMemory) {
  const auto port = serve();
  std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (int i = 0; i < 100000; ++i) request += "name-" + std::to_string(i) + ": value\r\n";
  const auto before = resident_bytes();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    EXPECT_TRUE(clients.back()->send(request + "\r\n"));  // discarded, so the answer can be read
    const auto answer = clients.back()->read_answer();
    EXPECT_EQ(answer.status, 431);
    EXPECT_TRUE(answer.has("\r\nConnection: close\r\n"));
  }
  // Stored in full, they would take over 100 MB; sanitizers hold on to freed memory.
  EXPECT_LT(resident_bytes(), before + (std::size_t{80} << 20U));
}

TEST_F(LimitsTest, ALongBodyIs413BeforeItIsSent) {
  Client client(serve());
  client.send("POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.body, "413 /any");
  EXPECT_TRUE(answer.has("\r\nConnection: close\r\n"));
  EXPECT_TRUE(client.ended());
}

TEST_F(LimitsTest, ALongBodyIs413EvenIfAllOfItIsSentFirst) {
  Client client(serve());
  client.send("POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n");
  EXPECT_TRUE(client.send(std::string(10000000, 'x')));
  EXPECT_EQ(client.read_answer().status, 413);
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.was_reset());
}

TEST_F(LimitsTest, AnEndlessBodyIsCutOff) {
  Client client(serve());
  client.send("POST /any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  std::size_t sent = 0;
  while (sent < (std::size_t{256} << 20U) && client.send(chunk)) sent += chunk.size();
  EXPECT_LT(sent, std::size_t{256} << 20U);
}

TEST_F(LimitsTest, ChunkedBodiesAreLimitedToo) {
  const auto port = serve();
  const std::string head =
      "POST /any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  Client over(port);
  over.send(head + "1f4\r\n" + std::string(500, 'x') + "\r\n1f5\r\n" + std::string(501, 'x'));
  EXPECT_EQ(over.read_answer().body, "413 /any");
  Client within(port);
  within.send(head + "1f4\r\n" + std::string(500, 'x') + "\r\n1f4\r\n" + std::string(500, 'x') +
              "\r\n0\r\n\r\n");
  EXPECT_EQ(within.read_answer().body, "1000");
  Client ignored(port);
  ignored.send("POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(ignored.read_answer().status, 413);  // even if the handler does not want the body
}

TEST_F(LimitsTest, AnEndlessChunkExtensionOrTrailerIsRefused) {
  const auto port = serve();
  const std::string head =
      "POST /any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const char* start : {"1;x=", "0\r\nX: "}) {
    Client client(port);
    client.send(head + start + std::string(1000000, 'x'));
    EXPECT_EQ(client.read_answer().status, 400) << start;
  }
}

TEST_F(LimitsTest, ASlowRequestIs408) {
  limits_.request_timeout = milliseconds(50);
  const auto port = serve();
  for (const char* part :
       {"G", "GET / HTTP/1.1\r\nHost: localhost\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\n",
        "POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nab"}) {
    Client client(port);
    client.send(part);
    EXPECT_EQ(client.read_answer().status, 408) << part;
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(LimitsTest, DrippingBytesDoesNotHelp) {
  limits_.request_timeout = milliseconds(50);
  Client client(serve());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n");
  std::thread drip([&] {
    while (client.send("X: y\r\n")) std::this_thread::yield();
  });
  const auto status = client.read_answer().status;
  EXPECT_TRUE(status == 408 || status == 431) << status;
  client.read_to_end();
  drip.join();
}

TEST_F(LimitsTest, IdleConnectionsAreClosedSilently) {
  limits_.idle_timeout = milliseconds(50);
  const auto port = serve();
  Client fresh(port);
  EXPECT_TRUE(fresh.ended());
  Client used(port);
  EXPECT_EQ(used.get("/").body, "ok");
  EXPECT_TRUE(used.ended());
}

TEST_F(LimitsTest, MalformedRequestsAre400AndTheEnd) {
  const auto port = serve();
  for (const std::string_view text :
       {std::string_view("\x16\x03\x01\x02 hello tls\r\n\r\n"),
        std::string_view("nonsense\r\n\r\n"), std::string_view("GET / HTTP/3.0\r\n\r\n"),
        std::string_view("GET \0 HTTP/1.1\r\nHost: localhost\r\n\r\n", 35),
        std::string_view("GET a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        std::string_view("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                         "1\r\nTransfer-Encoding: chunked\r\n\r\n")}) {
    Client client(port);
    client.send(text);
    EXPECT_EQ(client.read_answer().status, 400) << text;
  }
  Client second(port);
  second.send("HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n");
  EXPECT_EQ(second.read_answer(Client::Body::kNone).status, 200);
  EXPECT_EQ(second.read_answer().body, "400 ");  // with a body: it is not the answer to the HEAD
  EXPECT_TRUE(second.ended());
}

TEST_F(LimitsTest, TooManyConnectionsAre503) {
  limits_.connections = 2;
  const auto port = serve();
  Client first(port);
  Client second(port);
  EXPECT_EQ(first.get("/").status, 200);
  EXPECT_EQ(second.get("/").status, 200);
  Client third(port);
  EXPECT_EQ(third.get("/").status, 503);
  EXPECT_TRUE(third.ended());
  first.close();
  second.close();
  // The server may take a while to notice; every try is a new connection.
  int status = 503;
  for (int i = 0; i < 1000 && status == 503; ++i) status = Client(port).get("/").status;
  EXPECT_EQ(status, 200);
}

TEST_F(LimitsTest, SurvivesABurstOfConnections) {
  limits_.connections = 4;
  const auto port = serve();
  {
    std::vector<std::unique_ptr<Client>> rush;
    for (int i = 0; i < 300; ++i) rush.push_back(std::make_unique<Client>(port));
    EXPECT_EQ(rush.front()->get("/").status, 200);
  }
  int status = 0;
  for (int i = 0; i < 1000 && status != 200; ++i) status = Client(port).get("/").status;
  EXPECT_EQ(status, 200);
}

TEST_F(LimitsTest, SurvivesRunningOutOfDescriptors) {
#ifdef DOCKET_SANITIZE_ADDRESS
  GTEST_SKIP() << "UBSan's vptr check opens a pipe to probe memory, and fails without descriptors";
#endif
  const auto port = serve();
  rlimit original{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &original), 0);
  const int free_descriptor = ::dup(0);
  ::close(free_descriptor);
  rlimit one_more = original;
  one_more.rlim_cur = static_cast<rlim_t>(free_descriptor) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &one_more), 0);
  Client client(port);  // takes the last one; the server cannot accept it
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  on_io([] {});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &original), 0);
  EXPECT_EQ(client.read_answer().body, "ok");
}

TEST_F(LimitsTest, AClientThatDoesNotReadIsDisconnected) {
  limits_.write_timeout = milliseconds(50);
  const auto body = std::make_shared<std::string>(std::size_t{64} << 20U, 'x');
  Slot<bool> handled;
  route("GET", "/huge", [&](const Request&, const Reply& reply) {
    reply({.body = *body});
    handled.put(true);
  });
  const auto port = serve();
  Client client(port, 4096);
  client.send("GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n");
  handled.take();
  // stop is done once no connection is left; only the timeout can end this one within the hour.
  Slot<bool> done;
  on_io([&] { server_->stop(std::chrono::hours(1), [&] { done.put(true); }); });
  EXPECT_TRUE(done.take());
  EXPECT_LT(client.read_to_end().size(), body->size());
}

}  // namespace
}  // namespace docket::http
