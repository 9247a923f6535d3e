// Against the real kernel: connections over loopback, looked up in all their states.

#include "http/peer_owner.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "http/loopback_pair.h"
#include "http/socket_holder.h"

namespace docket::http {
namespace {

using Find = std::optional<SocketEntry> (*)(const Endpoint&, const Endpoint&);

std::optional<SocketEntry> find_by_netlink(const Endpoint& near, const Endpoint& far) {
  auto diagnosis = SocketDiagnosis::open();
  EXPECT_TRUE(diagnosis);
  return diagnosis->find(near, far);
}

class SocketHolder : public ::testing::TestWithParam<std::pair<const char*, Find>> {
 protected:
  // The owner of the client's end, as the server looks it up.
  std::optional<uid_t> holder(const LoopbackPair& pair) {
    const auto entry = GetParam().second(pair.client_end, pair.server_end);
    state_ = entry ? static_cast<int>(entry->state) : 0;
    return entry ? holder_of(*entry) : std::nullopt;
  }
  int state_ = 0;
};

TEST_P(SocketHolder, OfEveryKindOfAddress) {
  for (const auto& [listen_on, connect_to] :
       std::vector<std::pair<const char*, const char*>>{{"127.0.0.1", "127.0.0.1"},
                                                        {"127.0.0.2", "127.0.0.2"},
                                                        {"0.0.0.0", "127.0.0.3"},
                                                        {"::1", "::1"},
                                                        {"::", "127.0.0.1"},
                                                        {"::", "::ffff:127.0.0.1"},
                                                        {"127.0.0.1", "::ffff:127.0.0.1"}}) {
    const LoopbackPair pair(listen_on, connect_to);
    EXPECT_EQ(holder(pair), ::geteuid()) << listen_on << " from " << connect_to;
  }
}

TEST_P(SocketHolder, WhileItsProcessHasItOpen) {
  LoopbackPair pair;
  EXPECT_EQ(holder(pair), ::geteuid());
  EXPECT_EQ(state_, TCP_ESTABLISHED);
  ::shutdown(pair.client, SHUT_WR);
  EXPECT_EQ(holder(pair), ::geteuid());
  EXPECT_TRUE(state_ == TCP_FIN_WAIT1 || state_ == TCP_FIN_WAIT2) << state_;
}

TEST_P(SocketHolder, NotOnceItIsClosed) {
  LoopbackPair pair;
  pair.close_client();
  EXPECT_EQ(holder(pair), std::nullopt);
  EXPECT_TRUE(state_ == TCP_FIN_WAIT1 || state_ == TCP_FIN_WAIT2)
      << state_;  // an orphan, reported with user 0
  ::shutdown(pair.server, SHUT_WR);
  EXPECT_EQ(holder(pair), std::nullopt);
  EXPECT_EQ(state_, TCP_TIME_WAIT);  // likewise
}

TEST_P(SocketHolder, NotOfOneThatWasReset) {
  LoopbackPair pair;
  pair.reset_client();
  EXPECT_EQ(holder(pair), std::nullopt);
  EXPECT_EQ(state_, 0);
}

// The lookup must match exactly this connection, not a listener on that port.
TEST_P(SocketHolder, NotOfAListener) {
  const LoopbackPair pair;
  const Endpoint other(pair.client_end.address(), 1);
  const auto entry = GetParam().second(pair.server_end, other);
  EXPECT_FALSE(entry && holder_of(*entry));
}

INSTANTIATE_TEST_SUITE_P(By, SocketHolder,
                         ::testing::Values(std::pair{"Netlink", Find{find_by_netlink}},
                                           std::pair{"Proc", Find{find_in_proc}}),
                         [](const auto& test) { return test.param.first; });

TEST(SocketEntry, OnlyASocketThatAProcessHoldsHasAUser) {
  EXPECT_EQ(holder_of({.state = TCP_ESTABLISHED, .uid = 5, .inode = 9}), 5U);
  EXPECT_EQ(holder_of({.state = TCP_CLOSE_WAIT, .uid = 0, .inode = 9}), 0U);
  EXPECT_EQ(holder_of({.state = TCP_ESTABLISHED, .uid = 0, .inode = 0}), std::nullopt);
  for (const int state : {TCP_TIME_WAIT, TCP_LISTEN, TCP_SYN_SENT, TCP_SYN_RECV, TCP_CLOSE}) {
    EXPECT_EQ(holder_of({.state = static_cast<unsigned>(state), .uid = 0, .inode = 9}),
              std::nullopt)
        << state;
  }
}

TEST(SocketTable, MalformedLines) {
  const auto at = [](std::uint16_t port) {
    return Endpoint(boost::asio::ip::address_v4::loopback(), port);
  };
  const std::string ends = "   0: 0100007F:0050 0100007F:2328 ";
  EXPECT_EQ(find_in_table("", at(80), at(9000)), std::nullopt);
  EXPECT_EQ(find_in_table(ends + "01 0:0 0:0 0 77 0 123 more\n", at(9000), at(80)), std::nullopt);
  const auto found = find_in_table(ends + "01 0:0 0:0 0 77 0 123 more\n", at(80), at(9000));
  ASSERT_TRUE(found);
  EXPECT_EQ(holder_of(*found), 77U);
  const auto cut = find_in_table(ends + "01 0:0", at(80), at(9000));
  EXPECT_FALSE(cut && holder_of(*cut));
}

// ---- the port

TEST(PeerOwners, FindTheUserOfAProcess) {
  const auto opened = open_peer_owners();
  EXPECT_TRUE(opened.can_tell);
  EXPECT_EQ(opened.trouble, "");
  LoopbackPair pair;
  const auto facts = opened.owners->look(pair.server);
  EXPECT_TRUE(facts.local);
  EXPECT_EQ(facts.owner, ::geteuid());
  pair.close_client();
  EXPECT_EQ(opened.owners->look(pair.server).owner, std::nullopt);
}

TEST(PeerOwners, FindTheUserOfAnotherUsersProcess) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
  constexpr uid_t kNobody = 65534;
  LoopbackPair pair("127.0.0.1", "127.0.0.1", kNobody);
  EXPECT_EQ(open_peer_owners().owners->look(pair.server).owner, kNobody);
}

// A client sends, resets and exits, and root happens to get the same port: what is left of the
// first connection is not root's.
TEST(PeerOwners, DoNotMistakeANewerConnectionForThisOne) {
  const auto opened = open_peer_owners();
  constexpr const char* kOurs = "127.5.6.8";  // no other process gets the port meanwhile
  LoopbackPair first(kOurs, kOurs);
  first.reset_client();
  LoopbackPair second(kOurs, kOurs, std::nullopt, first.client_end.port(), first.listener);
  EXPECT_EQ(opened.owners->look(second.server).owner, ::geteuid());
  EXPECT_EQ(opened.owners->look(first.server).owner, std::nullopt);
}

TEST(PeerOwners, TreatTheMachinesOwnAddressesAsLocal) {
  const LoopbackPair pair("0.0.0.0", "127.5.6.7");
  EXPECT_TRUE(open_peer_owners().owners->look(pair.server).local);
}

}  // namespace
}  // namespace docket::http
