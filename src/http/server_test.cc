// What a well-behaved client sees: routing, bodies, pipelining, keep-alive, replies from other
// threads, stopping.

#include "http/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "http/local_trust.h"
#include "support/server_fixture.h"

namespace docket::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ServerTest, HandsOverAWholeRequest) {
  Slot<Request> seen;
  route(
      "POST", "/jobs/{job}",
      [&](Request request, const Reply& reply) {
        seen.put(std::move(request));
        reply({.status = 201, .headers = {{"Location", "/x"}}});
      },
      BodyRule::kJson);
  Client client(serve());
  client.send(
      "POST //jobs/a%20b/?embed=x&embed=%C3%A9 HTTP/1.1\r\nHost: localhost\r\nX-Y: z\r\n"
      "Content-Type: Application/JSON ; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 201);
  EXPECT_TRUE(answer.has("\r\nLocation: /x\r\n"));
  EXPECT_TRUE(answer.has("\r\nServer: docket\r\nDate: "));
  EXPECT_FALSE(answer.has("Content-Type"));
  const auto request = seen.take();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/jobs/a%20b");
  EXPECT_EQ(request.params, std::vector<std::string>{"a b"});
  EXPECT_EQ(request.query, (Fields{{"embed", "x"}, {"embed", "\xc3\xa9"}}));
  EXPECT_EQ(request.header("x-y"), "z");
  EXPECT_EQ(request.body, "{}");
  EXPECT_EQ(request.remote, "127.0.0.1");
}

TEST_F(ServerTest, FailuresHaveTheDoorsEnvelope) {
  route("GET", "/a/{b}", answer_ok);
  route("POST", "/json", answer_ok, BodyRule::kJson);
  Client client(serve());
  EXPECT_EQ(client.get("/none?x").body, "404 /none");
  EXPECT_EQ(client.get("/a/%zz").body, "400 /a/%zz");
  EXPECT_EQ(client.get("/a/%00").body, "400 /a/%00");
  EXPECT_EQ(client.get("/a/b?x=%").body, "400 /a/b");
  client.send("PUT /a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
  const auto wrong_method = client.read_answer();
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_TRUE(wrong_method.has("\r\nAllow: GET, HEAD\r\n"));
  client.send(
      "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "
      "3\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().status, 415);
  client.send("POST /json HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 415);
  client.send(
      "POST /json HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/json\r\nContent-Length: "
      "0\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 200);  // and all on one connection
}

TEST_F(ServerTest, AGateIsCheckedFirst) {
  route("GET", "/who", [](const Request& request, const Reply& reply) {
    reply({.body = request.identity->name()});
  });
  route("POST", "/do", answer_ok, BodyRule::kAny);
  gate_ = {.resource = "the:api", .read = Action::kRead, .write = Action::kFull};
  Client client(serve());
  EXPECT_EQ(client.get("/who").body, "anyone");  // no access list yet
  on_io([&] {
    Identity reader("reader");
    ASSERT_TRUE(reader.grant("the:api read"));
    AccessList list;
    ASSERT_TRUE(list.add(token_digest("t"), std::make_shared<const Identity>(std::move(reader))));
    server_->admit(std::move(list));
  });
  EXPECT_EQ(client.get("/who").body, "401 /who");
  EXPECT_EQ(client.get("/none").body, "401 /none");  // does not reveal what exists
  client.send("GET /who HTTP/1.1\r\nHost: localhost\r\nAuthorization: token=t\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "reader");
  client.send(
      "POST /do HTTP/1.1\r\nHost: localhost\r\nAuthorization: token=t\r\nContent-Length: "
      "3\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().body, "403 /do");
  client.send("HEAD /who HTTP/1.1\r\nHost: localhost\r\nAuthorization: token=t\r\n\r\n");
  EXPECT_EQ(client.read_answer(Client::Body::kNone).status, 200);
  client.send(
      "POST /do HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "401 /do");  // instead of "100 Continue"
}

TEST_F(ServerTest, BodyRulesDecideWhatTheHandlerSees) {
  const auto echo = [](Request request, const Reply& reply) { reply({.body = request.body}); };
  route("POST", "/ignore", echo);
  route("POST", "/any", echo, BodyRule::kAny);
  Client client(serve());
  client.send("POST /ignore HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().body, "");
  client.send("POST /any HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(client.read_answer().body, "abc");
  client.send(
      "POST /any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "abcde");
}

TEST_F(ServerTest, OnlyBodiesDeclaredAsJsonAreReadAsJson) {
  const auto echo = [](Request request, const Reply& reply) { reply({.body = request.body}); };
  route("POST", "/must", echo, BodyRule::kJson);
  route("POST", "/may", echo, BodyRule::kOptional);
  route("POST", "/if", echo, BodyRule::kIfJson);
  Client client(serve());
  const auto ask = [&](const std::string& path, const std::string& type, const std::string& body) {
    client.send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\n" +
                (type.empty() ? "" : "Content-Type: " + type + "\r\n") +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    return client.read_answer().body;
  };
  for (const char* type : {"application/json", "text/json", "Application/JSON; charset=utf-8"}) {
    for (const char* path : {"/must", "/may", "/if"}) EXPECT_EQ(ask(path, type, "{}"), "{}");
  }
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
        "application/jsonx", "text/plain; application/json"}) {
    EXPECT_EQ(ask("/must", type, "{}"), "415 /must") << type;
    EXPECT_EQ(ask("/may", type, "{}"), "415 /may") << type;
    EXPECT_EQ(ask("/if", type, "{}"), "") << type;
    EXPECT_EQ(ask("/must", type, ""), "415 /must") << type;
    EXPECT_EQ(ask("/may", type, ""), "") << type;
  }
}

TEST_F(ServerTest, UnknownCallersAreRefusedBeforeTheBody) {
  route("POST", "/do", answer_ok, BodyRule::kAny);
  const auto port = serve();
  on_io([&] { server_->admit(AccessList()); });
  for (const char* length : {"3", "99999999"}) {  // also instead of 413
    Client client(port);
    client.send("POST /do HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::string(length) +
                "\r\n\r\n");
    EXPECT_EQ(client.read_answer().body, "401 /do");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(ServerTest, ForeignNamesAndForeignPagesAreRefused) {
  route("GET", "/", answer_ok);
  Client client(serve());
  const auto ask = [&](const std::string& fields) {
    client.send("GET / HTTP/1.1\r\n" + fields + "\r\n");
    return client.read_answer().status;
  };
  EXPECT_EQ(ask("Host: localhost:1\r\n"), 200);
  EXPECT_EQ(ask("Host: evil.example\r\n"), 421);
  EXPECT_EQ(ask("Host: localhost:1\r\nOrigin: http://localhost:2\r\n"), 403);
  EXPECT_EQ(ask("Host: localhost:1\r\nSec-Fetch-Site: cross-site\r\n"), 403);
  HostNames names;
  ASSERT_TRUE(names.add("docket.example"));
  on_io([&] { server_->answer_to(names); });
  EXPECT_EQ(ask("Host: docket.example\r\n"), 200);
  EXPECT_EQ(ask("Host: evil.example\r\n"), 421);
  EXPECT_EQ(ask(""), 400);
}

class Stranger final : public PeerOwners {
 public:
  PeerInfo look(int) override { return {.local = true, .owner = 4711}; }
};

TEST_F(ServerTest, UsersThatAreNotTrustedAreRefused) {
  route("GET", "/", answer_ok);
  const auto port = serve();
  const auto trust = [&](const TrustSettings& settings) {
    on_io([&] {
      server_->trust(
          std::make_unique<LocalTrust>(settings, std::make_unique<Stranger>(), 1000, is_member));
    });
  };
  trust({});
  EXPECT_EQ(Client(port).get("/").body, "403 /");
  trust({.local_users = true});
  EXPECT_EQ(Client(port).get("/").status, 200);
}

TEST_F(ServerTest, HeadSendsTheLengthButNoBody) {
  route("GET", "/a", [](const Request& request, const Reply& reply) {
    reply({.body = request.method + std::string(20000, 'x')});
  });
  Client client(serve());
  client.send(
      "HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /none HTTP/1.1\r\nHost: "
      "localhost\r\n\r\nGET /a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(client.read_answer(Client::Body::kNone).has("\r\nContent-Length: 20003\r\n"));
  EXPECT_EQ(client.read_answer(Client::Body::kNone).status, 404);
  EXPECT_EQ(client.read_answer().body, "GET" + std::string(20000, 'x'));
}

TEST_F(ServerTest, SomeStatusesHaveNoBody) {
  route("GET", "/204", answer_with({.status = 204, .body = "never"}));
  route("GET", "/304", answer_with({.status = 304, .body = "never"}));
  Client client(serve());
  for (const int status : {204, 304}) {
    const auto answer = client.get("/" + std::to_string(status));
    EXPECT_EQ(answer.status, status);
    EXPECT_FALSE(answer.has("Content-Length"));
  }
  EXPECT_EQ(client.get("/none").status, 404);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  route("GET", "/{n}", [](const Request& request, const Reply& reply) {
    const bool large = request.params[0].ends_with('7');
    reply({.body = request.params[0] + (large ? std::string(100000, 'x') : "")});
  });
  Client client(serve());
  std::string requests;
  for (int i = 0; i < 300; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 300; ++i) {
    const auto body = client.read_answer().body;
    ASSERT_EQ(body.substr(0, body.find('x')), std::to_string(i));
  }
  sender.join();
}

TEST_F(ServerTest, PipeliningWaitsForALateReply) {
  Slot<Reply> held;
  route("GET", "/hold", [&](const Request&, Reply reply) { held.put(std::move(reply)); });
  route("GET", "/ok", answer_ok);
  Client client(serve());
  client.send(
      "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hold HTTP/1.1\r\nHost: localhost\r\n\r\nGET "
      "/ok HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.half_close();  // it still wants its answers
  EXPECT_EQ(client.read_answer().body, "ok");
  held.take()({.body = "late"});
  EXPECT_EQ(client.read_answer().body, "late");
  EXPECT_EQ(client.read_answer().body, "ok");
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, KeepsOrClosesTheConnectionAsTheClientAsks) {
  route("GET", "/", answer_ok);
  const auto port = serve();
  Client close(port);
  close.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(close.read_answer().has("\r\nConnection: close\r\n"));
  EXPECT_TRUE(close.ended());
  Client old(port);
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(old.read_answer().has("\r\nConnection: keep-alive\r\n"));
  old.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read_answer().body, "ok");
  EXPECT_TRUE(old.ended());
}

TEST_F(ServerTest, ExpectContinueIsAnswered) {
  route(
      "POST", "/any", [](Request request, const Reply& reply) { reply({.body = request.body}); },
      BodyRule::kAny);
  const auto port = serve();
  Client client(port);
  client.send(
      "POST /any HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read_answer().body, "abc");
  client.send(
      "POST /none HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "
      "3\r\n\r\n");
  EXPECT_EQ(client.read_answer().status,
            404);  // at once, then closes: what follows may or may not be a body
  EXPECT_TRUE(client.ended());
}

TEST_F(ServerTest, RepliesMayComeFromAnyThread) {
  std::mutex mutex;
  std::vector<Reply> held;
  std::atomic<int> count = 0;
  route("GET", "/hold", [&](const Request&, Reply reply) {
    const std::scoped_lock lock(mutex);
    held.push_back(std::move(reply));
    ++count;
    count.notify_one();
  });
  const auto port = serve();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  for (int seen = count; seen < 50; seen = count) count.wait(seen);
  std::thread other([&] {
    for (const Reply& reply : held) {
      reply({.body = "first"});
      reply({.body = "second"});  // ignored
    }
  });
  for (const auto& client : clients) EXPECT_EQ(client->read_answer().body, "first");
  other.join();
  held.clear();
  clients[0]->send("GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(clients[0]->read_answer().status, 404);
}

TEST_F(ServerTest, ADroppedReplyIs500) {
  route("GET", "/drop", [](const Request&, const Reply&) {});
  Slot<Reply> held;
  route("GET", "/later", [&](const Request&, Reply reply) { held.put(std::move(reply)); });
  Client client(serve());
  EXPECT_EQ(client.get("/drop").body, "500 /drop");
  client.send("GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
  held.take();  // and drops it, on another thread
  EXPECT_EQ(client.read_answer().body, "500 /later");
}

TEST_F(ServerTest, AHandlersExceptionIs500) {
  Slot<Reply> kept;
  route("GET", "/throw", [](const Request&, const Reply&) { throw std::runtime_error("bug"); });
  route("GET", "/int", [](const Request&, const Reply&) { throw 7; });
  route("GET", "/kept", [&](const Request&, const Reply& reply) {
    kept.put(reply);
    throw std::runtime_error("bug");
  });
  route("GET", "/answered", [](const Request&, const Reply& reply) {
    reply({.body = "ok"});
    throw std::runtime_error("bug");
  });
  Client client(serve());
  EXPECT_EQ(client.get("/throw").body, "500 /throw");
  EXPECT_EQ(client.get("/int").status, 500);
  EXPECT_EQ(client.get("/kept").status, 500);
  kept.take()({.body = "too late"});
  EXPECT_EQ(client.get("/answered").body, "ok");
}

TEST_F(ServerTest, RepliesOutliveTheClientAndTheServer) {
  Slot<Reply> first;
  Slot<Reply> second;
  route("GET", "/1", [&](const Request&, Reply reply) { first.put(std::move(reply)); });
  route("GET", "/2", [&](const Request&, Reply reply) { second.put(std::move(reply)); });
  route("GET", "/", answer_ok);
  const auto port = serve();
  Client gone(port);
  gone.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto late = first.take();
  gone.reset();
  EXPECT_EQ(Client(port).get("/").body, "ok");
  late({.body = "nobody"});
  EXPECT_EQ(Client(port).get("/").body, "ok");
  Client waiting(port);
  waiting.send("GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto latest = second.take();
  halt();
  EXPECT_TRUE(waiting.ended());
  latest({.body = "nobody"});
}

TEST_F(ServerTest, ListenSaysWhyItFails) {
  const auto port = serve();
  const auto expect = [&](const std::string& address, std::uint16_t at, Site site,
                          std::string_view why) {
    const auto result = server_->listen(address, at, std::move(site));
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr(why));
  };
  on_io([&] {
    expect("127.0.0.1", port, {{"", door_}}, "Address already in use");
    expect("not an address", 0, {{"", door_}}, "not an IP address");
    expect("127.0.0.1", 0, {{"", nullptr}}, "has no door");
  });
}

TEST_F(ServerTest, OneServerHasSeveralListeners) {
  route("GET", "/a", answer_ok);
  const auto first = serve();
  std::uint16_t second = 0;
  on_io([&] { second = *server_->listen("127.0.0.1", 0, {{"/service/x", door_}}); });
  EXPECT_EQ(Client(first).get("/a").status, 200);
  EXPECT_EQ(Client(second).get("/a").status, 404);
  EXPECT_EQ(Client(second).get("/service/x/a").status, 200);
}

TEST_F(ServerTest, StopEndsIdleConnectionsAndLetsRequestsFinish) {
  Slot<Reply> held;
  route("GET", "/hold", [&](const Request&, Reply reply) { held.put(std::move(reply)); });
  route("GET", "/", answer_ok);
  const auto port = serve();
  Client idle(port);
  EXPECT_EQ(idle.get("/").body, "ok");
  Client busy(port);
  busy.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto reply = held.take();
  Slot<bool> done;
  Slot<bool> done_again;
  on_io([&] { server_->stop(std::chrono::hours(1), [&] { done.put(true); }); });
  EXPECT_TRUE(idle.ended());
  reply({.body = "finished"});
  const auto answer = busy.read_answer();
  EXPECT_EQ(answer.body, "finished");
  EXPECT_TRUE(answer.has("\r\nConnection: close\r\n"));
  EXPECT_TRUE(done.take());
  on_io([&] { server_->stop(std::chrono::hours(1), [&] { done_again.put(true); }); });
  EXPECT_TRUE(done_again.take());
}

TEST_F(ServerTest, StopAbortsRequestsAtTheDeadline) {
  Slot<Reply> held;
  route("GET", "/hold", [&](const Request&, Reply reply) { held.put(std::move(reply)); });
  Client client(serve());
  client.send("GET /hold HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const auto reply = held.take();
  Slot<bool> done;
  on_io([&] { server_->stop(std::chrono::milliseconds(20), [&] { done.put(true); }); });
  EXPECT_TRUE(done.take());
  EXPECT_TRUE(client.ended());
  reply({.body = "nobody"});
}

}  // namespace
}  // namespace docket::http
