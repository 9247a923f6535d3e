#pragma once

// What a simulated world has shown so far: the hash of everything that happened (the same seed
// gives the same hash), and the first invariant that was violated. Verbose worlds also print what
// happens.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>

namespace docket::sim {

class Verdict {
 public:
  explicit Verdict(bool verbose = false) : verbose_(verbose) {}

  // One thing that happened. The numbers go into the hash; the words are for people.
  template <class... Args>
  void tell(const char* what, Args... numbers) {
    mix(fnv(what));
    (mix(static_cast<std::uint64_t>(numbers)), ...);
    if (!verbose_) return;
    std::printf("%14.6f %s", seconds_, what);
    (std::printf(" %s", fmt::format("{}", numbers).c_str()), ...);
    std::printf("\n");
  }
  void at(std::int64_t micros) {
    mix(static_cast<std::uint64_t>(micros));
    seconds_ = static_cast<double>(micros) / 1e6;
  }

  void require(bool holds, const char* invariant, const std::string& detail = {}) {
    if (!holds) violated(invariant, detail);
  }
  void violated(const char* invariant, const std::string& detail) {
    if (!ok()) return;
    violation_ = fmt::format("{:.6f} s: {}: {}", seconds_, invariant, detail);
    if (verbose_) std::printf("VIOLATED %s\n", violation_.c_str());
  }

  bool ok() const { return violation_.empty(); }
  const std::string& violation() const { return violation_; }
  std::uint64_t hash() const { return hash_; }

 private:
  static constexpr std::uint64_t fnv(const char* text) {
    std::uint64_t hash = 14695981039346656037U;
    for (; *text != 0; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 1099511628211U;
    return hash;
  }
  void mix(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15U;
    hash_ ^= hash_ >> 29;
  }

  bool verbose_;
  double seconds_ = 0;
  std::uint64_t hash_ = 0;
  std::string violation_;
};

}  // namespace docket::sim
