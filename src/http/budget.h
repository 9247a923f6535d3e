#pragma once

// One budget for all that a server's connections keep in buffers, and the rules for which
// connections give way when it is used up. connection.cc and connections.cc apply them.
//
// What counts, by capacity: input not yet parsed, the request being received, and output that the
// client has not taken yet. Nothing is reserved in advance: a body counts as it arrives, whatever
// its Content-Length.
//
// Up to seven eighths of the budget every request is served. The last eighth is a reserve for small
// requests, so that they pass whatever others do. While the reserve is in use:
//   - A request that holds more than kSmall, or says that its body will, is answered 503 in its
//     door's shape; so is a GET whose whole answer is more. Smaller ones pass.
//   - Streams give one chunk at a time, no pipelined input is read ahead, and buffers that are
//     only kept for reuse are freed.
//   - A connection that holds more than kSmall and has moved less than kLeastRate for a second or
//     two gives way, the largest first: an unfinished request is answered 503, other connections
//     are closed.
// Beyond the budget itself the others give way too, first those that move little, then the largest,
// until the reserve is free again.
//
// So even many slow clients cannot take anything from those that send and read at a fair pace, and
// an answer that reports a change is never replaced by a refusal. In any case, output must be taken
// within the write timeout plus a second for every kLeastRate bytes of it.
//
// io thread only. Tested by budget_test.cc.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace docket::http {

class Budget {
 public:
  static constexpr std::size_t kSmall = 64 * 1024;     // bytes; as much as one read may bring
  static constexpr std::size_t kLeastRate = 8 * 1024;  // bytes per second

  explicit Budget(std::size_t total) : total_(total), ordinary_(total - total / 8) {}

  // One connection now holds `now` bytes instead of `before`.
  void change(std::size_t before, std::size_t now) { used_ = used_ - before + now; }
  std::size_t used() const { return used_; }

  bool tight() const { return used_ > ordinary_; }  // the reserve is in use
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
