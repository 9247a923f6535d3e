#include "store/sqlite/log_check.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "store/sqlite/checksum_vfs.h"

namespace docket::store {
namespace {

constexpr std::size_t kHeader = 32;
constexpr std::size_t kFrameHeader = 24;
constexpr std::size_t kFrame = kFrameHeader + kPageBytes;
constexpr std::uint32_t kMagic = 0x377f0682;  // the last bit: checksums over big-endian words

using Bytes = const unsigned char*;

std::uint32_t big_endian(Bytes at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

std::uint32_t little_endian(Bytes at) {
  return std::uint32_t{at[3]} << 24 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[1]} << 8 |
         at[0];
}

struct Sum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  bool operator==(const Sum&) const = default;

  void add(Bytes data, std::size_t size, bool big) {
    for (std::size_t at = 0; at < size; at += 8) {
      first += (big ? big_endian(data + at) : little_endian(data + at)) + second;
      second += (big ? big_endian(data + at + 4) : little_endian(data + at + 4)) + first;
    }
  }
};

Sum sum_at(Bytes at) { return {big_endian(at), big_endian(at + 4)}; }

enum class Header { kNone, kSound, kDamaged };

class Log {
 public:
  explicit Log(const std::string& file)
      : descriptor_(open((file + "-wal").c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Log() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // The header is synced before the first frame is written, so a log with frames has a sound one;
  // unless it was emptied (zeroes), or never got that far.
  Header read_header() {
    std::array<unsigned char, kHeader> header;
    if (descriptor_ < 0 || !read(header.data(), header.size(), 0)) return Header::kNone;
    if (header == std::array<unsigned char, kHeader>{} || !read_frame(0)) return Header::kNone;
    big_ = (big_endian(header.data()) & 1U) != 0;
    salt_ = sum_at(header.data() + 16);
    sum_.add(header.data(), 24, big_);
    const bool sound = (big_endian(header.data()) & ~1U) == kMagic &&
                       big_endian(header.data() + 8) == kPageBytes &&
                       sum_ == sum_at(header.data() + 24);
    return sound ? Header::kSound : Header::kDamaged;
  }

  // False at the end of the file.
  bool read_frame(std::uint64_t index) {
    return read(frame_.data(), frame_.size(), kHeader + index * kFrame);
  }
  // Of the frame read last: was it written since the log was last started anew?
  bool is_of_this_round() const { return sum_at(frame_.data() + 8) == salt_; }
  bool ends_transaction() const { return big_endian(frame_.data() + 4) != 0; }
  // Continues the sum. Call it once for each frame, in order, until it is false.
  bool is_sound() {
    sum_.add(frame_.data(), 8, big_);
    sum_.add(frame_.data() + kFrameHeader, kPageBytes, big_);
    return is_of_this_round() && sum_ == sum_at(frame_.data() + 16);
  }

 private:
  bool read(unsigned char* into, std::size_t size, std::uint64_t offset) const {
    return pread(descriptor_, into, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
  }

  int descriptor_;
  bool big_ = false;
  Sum salt_;
  Sum sum_;
  std::array<unsigned char, kFrame> frame_{};
};

tl::unexpected<Error> damaged(const std::string& file, const std::string& what) {
  return fail(ErrorKind::kInternal,
              "the write-ahead log " + file + "-wal is damaged: " + what +
                  ". Restore a backup, or delete the log to go on without what is in it");
}

}  // namespace

Result<> check_log(const std::string& file) {
  Log log(file);
  const Header header = log.read_header();
  if (header == Header::kNone) return {};
  if (header == Header::kDamaged) return damaged(file, "its header does not match its checksum");
  std::uint64_t wrong = 0;
  while (log.read_frame(wrong) && log.is_sound()) ++wrong;
  std::uint64_t after = wrong;
  while (log.read_frame(after) && !(log.is_of_this_round() && log.ends_transaction())) ++after;
  if (!log.read_frame(after) || !log.read_frame(after + 1) || !log.is_of_this_round()) return {};
  return damaged(file, "frame " + std::to_string(wrong) +
                           " does not match its checksum, yet synced transactions follow it");
}

}  // namespace docket::store
