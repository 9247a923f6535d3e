#pragma once

// One budget for what the connections of a server keep in buffers, and the rule of who gives way
// when it is used up. connection.cc and connections.cc apply it.
//
// What counts, by capacity: input that is not parsed yet, the request that is being received, and
// output that its client has not taken. Nothing is taken from the budget in advance: a body counts
// as it arrives, whatever its Content-Length.
//
// Up to seven eighths of the budget everybody is served. The last eighth is a reserve for small
// requests, so that they pass whatever others do. While it is being used:
//   - A request that holds more than kSmall, or says that its body will, is answered 503 in its
//     door's shape; so is a GET whose whole answer is more. Smaller ones pass.
//   - Streams give one chunk at a time, nobody's pipelined input is read ahead, and buffers that
//     are only kept to be used again are freed.
//   - Whoever holds more than kSmall and has moved less than kLeastRate for a second or two gives
//     way, the largest first: an unfinished request is answered 503, other connections are closed.
// Beyond the budget itself the others give way too, first those that move little, then the largest,
// until the reserve is free again.
//
// So many slow clients cannot take from those who send and read at a fair pace, and an answer that
// tells of a change is never replaced by a refusal. With or without need, output must be taken
// within the write timeout and a second for every kLeastRate bytes of it.
//
// io thread only. Tested by budget_test.cc.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace docket::http {

class Budget {
 public:
  static constexpr std::size_t kSmall = 64 * 1024;     // bytes; as much as one read may bring
  static constexpr std::size_t kLeastRate = 8 * 1024;  // bytes a second

  explicit Budget(std::size_t total) : total_(total), ordinary_(total - total / 8) {}

  // One connection holds so many bytes now instead of before.
  void change(std::size_t before, std::size_t now) { used_ = used_ - before + now; }
  std::size_t used() const { return used_; }

  bool tight() const { return used_ > ordinary_; }  // the reserve is being used
  bool exceeded() const { return used_ > total_; }
  bool admits(std::size_t held) const { return held <= kSmall || !tight(); }  // counted already
  bool has_room(std::uint64_t size) const {                                   // not counted yet
    return size <= kSmall || used_ + size <= ordinary_;
  }

  static std::chrono::milliseconds time_for(std::size_t bytes) {
    return std::chrono::milliseconds(bytes * 1000 / kLeastRate);
  }
  static bool is_slow(std::size_t moved, std::chrono::nanoseconds in) {
    return std::chrono::milliseconds(time_for(moved)) < in;
  }

 private:
  const std::size_t total_;
  const std::size_t ordinary_;
  std::size_t used_ = 0;
};

}  // namespace docket::http
