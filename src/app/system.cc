#include "app/system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace docket::app {
namespace {

constexpr Duration kLongestSleep = std::chrono::seconds{1};

template <std::size_t N>
std::array<std::uint8_t, N> draw(Random& random) {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = 0; i < N; i += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(bytes.data() + i, &word, std::min<std::size_t>(8, N - i));
  }
  return bytes;
}

// The name of a new file is durable only once its directory has been synced.
bool sync_directory_of(const std::string& file) {
  const std::string directory = std::filesystem::absolute(file).parent_path();
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  if (fd >= 0) ::close(fd);
  return synced;
}

Result<> write_key(const std::string& file, const SealKey& key) {
  const std::string temporary = file + ".new";
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool written = fd >= 0 &&
                       ::write(fd, key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
                       ::fsync(fd) == 0;
  int error = errno;
  if (fd >= 0) ::close(fd);
  if (written) {
    if (::rename(temporary.c_str(), file.c_str()) == 0 && sync_directory_of(file)) return {};
    error = errno;
  }
  return fail(ErrorKind::kInternal, fmt::format("cannot write {}: {}", file, std::strerror(error)));
}

Duration since_boot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds{now.tv_sec} +
                                              std::chrono::nanoseconds{now.tv_nsec});
}

}  // namespace

void after(boost::asio::io_context& io, Duration delay, std::function<void()> work) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io, delay);  // its handler keeps it
  timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& error) {
    if (!error) work();
  });
}

// The first half of the kernel's boot id. If there is none, all boots look the same, and the value
// of `elapsed` shows that they are not.
SystemClock::SystemClock() : boot_(0) {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  std::erase(id, '-');
  std::from_chars(id.data(), id.data() + std::min<std::size_t>(id.size(), 16), boot_, 16);
}

// The two clocks cannot be read at the same instant. If the process was interrupted in between,
// they are read again, so that the clock does not seem to have been set.
ClockReading SystemClock::read() {
  constexpr Duration kAtOnce = std::chrono::milliseconds{1};
  ClockReading reading{.wall = kNever, .elapsed = {}, .boot = boot_};
  for (int tries = 0; tries < 3; ++tries) {
    const Duration before = since_boot();
    reading.wall = now();
    reading.elapsed = since_boot();
    if (reading.elapsed - before < kAtOnce) break;
  }
  return reading;
}

Time SystemClock::now() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

std::uint64_t SystemRandom::next() {
  std::uint64_t word = 0;
  while (::getrandom(&word, sizeof word, 0) != static_cast<ssize_t>(sizeof word)) {
  }
  return word;
}

AsioReactor::AsioReactor(boost::asio::io_context& io, Clock& clock)
    : io_(io), clock_(clock), timer_(io) {}

void AsioReactor::post(std::function<void()> work) { boost::asio::post(io_, std::move(work)); }

void AsioReactor::arm(Time when, std::function<void()> work) {
  const bool same = when == when_ && work_ != nullptr;
  when_ = when;
  work_ = std::move(work);
  if (!same) wait();
}

void AsioReactor::wait() {
  const Time begun = clock_.now();
  timer_.expires_after(std::clamp(when_ - begun, Duration::zero(), kLongestSleep));
  timer_.async_wait([this, begun](const boost::system::error_code& error) {
    if (error || !work_) return;
    const Time now = clock_.now();
    // A clock that was set back wakes the engine too: its timer may have meant "in a second".
    const bool stepped_back = now < begun;
    if (now < when_ && !stepped_back) return wait();
    std::exchange(work_, nullptr)();
  });
}

Result<FileVault> FileVault::open(const std::string& key_file, bool in_use, Random& random) {
  std::ifstream in(key_file, std::ios::binary);
  std::error_code unknown;
  if (!in && (std::filesystem::exists(key_file, unknown) || unknown)) {
    // Creating a new key here would make every secret unreadable for ever.
    return fail(ErrorKind::kUnavailable, fmt::format("cannot read {}", key_file));
  }
  if (!in && in_use) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("{} is missing, and the store has secrets sealed with it: put it back",
                            key_file));
  }
  if (!in) {
    const SealKey key = draw<std::tuple_size_v<SealKey>>(random);
    if (const auto written = write_key(key_file, key); !written) return fail(written.error());
    return FileVault(key);
  }
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  SealKey key{};
  if (bytes.size() != key.size()) {
    return fail(ErrorKind::kInternal, fmt::format("{} is not a key: {} bytes instead of {}",
                                                  key_file, bytes.size(), key.size()));
  }
  std::ranges::transform(bytes, key.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return FileVault(key);
}

std::string FileVault::seal(const std::string& path, const std::string& plain, Random& random) {
  return docket::seal(key_, path, plain, draw<std::tuple_size_v<SealNonce>>(random));
}

Result<std::string> FileVault::unseal(const std::string& path, const std::string& sealed) const {
  return docket::unseal(key_, path, sealed);
}

}  // namespace docket::app
