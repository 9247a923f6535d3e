#pragma once

// Implements the engine's ports with the real world: clock, randomness, timer, sealed secrets.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <string>

#include "core/clock.h"
#include "core/seal.h"
#include "engine/engine.h"
#include "engine/ports.h"

namespace docket::app {

class SystemClock : public Clock {
 public:
  SystemClock();
  Time now() override;
  ClockReading read() override;

 private:
  std::uint64_t boot_;
};

class SystemRandom : public Random {
 public:
  std::uint64_t next() override;  // getrandom(2)
};

// A timer on wall time: sleeps at most a second at a time, so that a clock step is noticed in time.
class AsioReactor : public engine::Reactor {
 public:
  AsioReactor(boost::asio::io_context& io, Clock& clock);
  void post(std::function<void()> work) override;
  void arm(Time when, std::function<void()> work) override;

 private:
  void wait();

  boost::asio::io_context& io_;
  Clock& clock_;
  boost::asio::steady_timer timer_;
  Time when_ = kNever;
  std::function<void()> work_;
};

// Runs work later on the strand. Each call has its own timer, which ends with `io`.
void after(boost::asio::io_context& io, Duration delay, std::function<void()> work);

// Seals with a key from a file that only its owner may read (DIR/secret.key), created on first use.
class FileVault : public engine::Vault {
 public:
  // `in_use`: secrets are already sealed with the key, so a missing key is an error.
  static Result<FileVault> open(const std::string& key_file, bool in_use, Random& random);
  std::string seal(const std::string& path, const std::string& plain, Random& random) override;
  Result<std::string> unseal(const std::string& path, const std::string& sealed) const override;

 private:
  explicit FileVault(const SealKey& key) : key_(key) {}
  SealKey key_;
};

}  // namespace docket::app
