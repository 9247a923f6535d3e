// Idle waiters: opens connections that all wait for the end of tasks, ends the tasks, and reports
// how long it took for the answers to arrive. Prints one line of JSON.
//
//   waiters_bench PORT PATHS_FILE TRIGGERS_FILE
//
// PATHS_FILE: one GET path per line, one connection each. TRIGGERS_FILE: POST paths, sent one after
// the other once all wait. With one trigger all connections wait for the same task; otherwise the
// answer to each trigger is awaited before the next.

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  fmt::print(stderr, "{}: {}\n", what, std::strerror(errno));
  std::exit(1);
}

std::vector<std::string> lines_of(const char* file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr generic{};
  std::memcpy(&generic, &address, sizeof generic);
  if (fd < 0 || ::connect(fd, &generic, sizeof generic) != 0) die("connect");
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

void send_request(int fd, const char* method, const std::string& path) {
  const std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n\r\n", method, path);
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) {
    die("send");
  }
}

// One answer, small enough to arrive at once.
bool read_answer(int fd) {
  std::array<char, 4096> bytes{};
  const auto size = ::recv(fd, bytes.data(), bytes.size(), 0);
  return size > 12 && std::memcmp(bytes.data(), "HTTP/1.1 200", 12) == 0;
}

double milliseconds(Clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

// Waits for `count` more answers, and appends when each arrived.
void await_answers(int epoll, std::size_t count, Clock::time_point since,
                   std::vector<double>& delays) {
  std::array<epoll_event, 256> events{};
  while (count > 0) {
    const int ready = ::epoll_wait(epoll, events.data(), events.size(), 30000);
    if (ready <= 0) die("the answers did not come");
    for (int i = 0; i < ready; ++i) {
      if (!read_answer(events.at(static_cast<std::size_t>(i)).data.fd)) die("a wrong answer");
      delays.push_back(milliseconds(Clock::now() - since));
      --count;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  rlimit files{65536, 65536};
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[1]));
  const auto paths = lines_of(argv[2]);
  const auto triggers = lines_of(argv[3]);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  for (const std::string& path : paths) {
    const int fd = connect_to(port);
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    send_request(fd, "GET", path);
  }
  const int trigger = connect_to(port);
  fmt::print("waiting\n");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 1;  // the caller measures memory, then tells us to go on
  std::vector<double> delays;
  for (const std::string& path : triggers) {
    const auto begun = Clock::now();
    send_request(trigger, "POST", path);
    await_answers(epoll, paths.size() / triggers.size(), begun, delays);
    if (!read_answer(trigger)) die("the trigger failed");
  }
  std::ranges::sort(delays);
  const auto at = [&](double share) {
    return delays[static_cast<std::size_t>(share * static_cast<double>(delays.size() - 1))];
  };
  fmt::print("{{\"waiters\":{},\"p50_ms\":{:.2f},\"p99_ms\":{:.2f},\"last_ms\":{:.2f}}}\n",
             delays.size(), at(0.5), at(0.99), delays.back());
  return 0;
}
