#include "store/sqlite/file_header.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/migrations.h"

namespace docket::store {
namespace {

// https://www.sqlite.org/fileformat.html#the_database_header
constexpr std::size_t kHeaderBytes = 100;
constexpr std::string_view kMagic{"SQLite format 3\0", 16};
constexpr std::size_t kReservedAt = 20;
constexpr std::size_t kUserVersionAt = 60;
constexpr std::size_t kApplicationIdAt = 68;

using Header = std::array<unsigned char, kHeaderBytes>;

std::int64_t number_at(const Header& header, std::size_t begin) {
  std::int64_t number = 0;
  for (std::size_t at = begin; at < begin + 4; ++at) number = number * 256 + header[at];
  return number;
}

}  // namespace

Result<> check_header(const std::string& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return {};
  if (descriptor < 0) {
    return fail(ErrorKind::kUnavailable,
                "cannot open " + file + ": " + std::generic_category().message(errno));
  }
  Header header{};
  const ssize_t got = pread(descriptor, header.data(), header.size(), 0);
  close(descriptor);
  if (got == 0) return {};
  const std::string_view magic(reinterpret_cast<const char*>(header.data()), kMagic.size());
  if (got < static_cast<ssize_t>(header.size()) || magic != kMagic) {
    return fail(ErrorKind::kInvalid,
                file + " is not a docket store: it is not a SQLite file, or it is damaged");
  }
  // A store whose creation was interrupted has no mark yet, but has the reserved bytes.
  const bool is_ours = number_at(header, kApplicationIdAt) == kApplicationId;
  if (!is_ours && header[kReservedAt] != kReservedBytes) {
    return fail(ErrorKind::kInvalid, file + " is a SQLite file, but was not made by docket");
  }
  // migrate() checks this again, including the log. It is checked here because a newer docket may
  // lay out its pages in another way, which would look like damage.
  if (is_ours) return check_version(number_at(header, kUserVersionAt), file);
  return {};
}

}  // namespace docket::store
