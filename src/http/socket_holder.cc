#include "http/socket_holder.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace docket::http {
namespace {

// ---- netlink

struct Question {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
};

void put_address(std::uint32_t* place, const boost::asio::ip::address& address) {
  if (address.is_v4()) {
    const auto bytes = address.to_v4().to_bytes();
    std::memcpy(place, bytes.data(), bytes.size());
  } else {
    const auto bytes = address.to_v6().to_bytes();
    std::memcpy(place, bytes.data(), bytes.size());
  }
}

Question ask_for(const Endpoint& near, const Endpoint& far, std::uint32_t number) {
  Question question;
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.header.nlmsg_seq = number;
  const bool v6 = near.address().is_v6();
  question.body.sdiag_family = v6 ? AF_INET6 : AF_INET;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  inet_diag_sockid& id = question.body.id;
  id.idiag_sport = htons(near.port());
  id.idiag_dport = htons(far.port());
  put_address(&id.idiag_src[0], near.address());
  put_address(&id.idiag_dst[0], far.address());
  if (v6) id.idiag_if = static_cast<std::uint32_t>(near.address().to_v6().scope_id());
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return question;
}

// Comparing the ports tells the connection from a listener.
std::optional<SocketEntry> read_entry(const void* payload, const Question& question) {
  inet_diag_msg found{};
  std::memcpy(&found, payload, sizeof found);
  const bool same = found.id.idiag_sport == question.body.id.idiag_sport &&
                    found.id.idiag_dport == question.body.id.idiag_dport;
  if (!same) return std::nullopt;
  return SocketEntry{
      .state = found.idiag_state, .uid = found.idiag_uid, .inode = found.idiag_inode};
}

// ---- /proc

// Removes the next word from the front of a line.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const auto word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

// "0100007F:2328": words of four bytes in the machine's byte order, then the port.
std::string as_in_table(const Endpoint& endpoint) {
  std::array<std::uint32_t, 4> words{};
  put_address(words.data(), endpoint.address());
  const std::size_t count = endpoint.address().is_v4() ? 1 : 4;
  std::string text;
  const auto append_hex = [&text](std::uint32_t value, unsigned digits) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    while (digits-- > 0) text.push_back(kHex[(value >> (digits * 4)) & 15U]);
  };
  for (std::size_t i = 0; i < count; ++i) append_hex(words.at(i), 8);
  text.push_back(':');
  append_hex(endpoint.port(), 4);
  return text;
}

template <class Number>
Number number_in(std::string_view word, int base) {
  Number value{};
  std::from_chars(word.data(), word.data() + word.size(), value, base);
  return value;
}

// An IPv4 connection of an IPv6 socket is in the other table, with a mapped address.
Endpoint mapped(const Endpoint& endpoint) {
  namespace ip = boost::asio::ip;
  return {ip::make_address_v6(ip::v4_mapped, endpoint.address().to_v4()), endpoint.port()};
}

std::string contents_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<uid_t> holder_of(const SocketEntry& entry) {
  constexpr std::array kHeld{TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2,
                             TCP_CLOSE_WAIT,  TCP_LAST_ACK,  TCP_CLOSING};
  const auto is_state = [&](int state) { return static_cast<int>(entry.state) == state; };
  if (entry.inode == 0 || std::ranges::none_of(kHeld, is_state)) return std::nullopt;
  return entry.uid;
}

Result<SocketDiagnosis> SocketDiagnosis::open() {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (socket < 0) return fail(ErrorKind::kUnavailable, std::strerror(errno));
  // The kernel normally has its answer ready when the send returns; this limits the wait otherwise.
  const timeval patience{.tv_sec = 0, .tv_usec = 100'000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return SocketDiagnosis(socket);
}

SocketDiagnosis::SocketDiagnosis(SocketDiagnosis&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), asked_(other.asked_) {}

SocketDiagnosis::~SocketDiagnosis() {
  if (socket_ >= 0) ::close(socket_);
}

std::optional<SocketEntry> SocketDiagnosis::find(const Endpoint& near, const Endpoint& far) {
  const Question question = ask_for(near, far, ++asked_);
  if (::send(socket_, &question, sizeof question, 0) != sizeof question) return std::nullopt;
  alignas(nlmsghdr) std::array<char, 4096> answer{};
  for (;;) {
    const auto size = ::recv(socket_, answer.data(), answer.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return std::nullopt;
    nlmsghdr header{};
    std::memcpy(&header, answer.data(), sizeof header);
    if (header.nlmsg_seq != asked_) continue;  // late, to an earlier question
    const bool whole = size >= static_cast<ssize_t>(NLMSG_LENGTH(sizeof(inet_diag_msg)));
    if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || !whole) return std::nullopt;
    return read_entry(answer.data() + NLMSG_HDRLEN, question);
  }
}

std::optional<SocketEntry> find_in_table(std::string_view table, const Endpoint& near,
                                         const Endpoint& far) {
  const std::string wanted = " " + as_in_table(near) + " " + as_in_table(far) + " ";
  const auto at = table.find(wanted);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = table.substr(at + wanted.size());
  rest = rest.substr(0, rest.find('\n'));
  SocketEntry entry{.state = number_in<unsigned>(take_word(rest), 16)};
  for (int skipped = 0; skipped < 3; ++skipped) take_word(rest);  // queues, timer, retransmissions
  entry.uid = number_in<uid_t>(take_word(rest), 10);
  take_word(rest);  // timeout
  entry.inode = number_in<std::uint64_t>(take_word(rest), 10);
  return entry;
}

std::optional<SocketEntry> find_in_proc(const Endpoint& near, const Endpoint& far) {
  if (near.address().is_v6()) return find_in_table(contents_of("/proc/net/tcp6"), near, far);
  const auto found = find_in_table(contents_of("/proc/net/tcp"), near, far);
  if (found) return found;
  return find_in_table(contents_of("/proc/net/tcp6"), mapped(near), mapped(far));
}

}  // namespace docket::http
