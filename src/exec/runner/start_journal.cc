#include "exec/runner/start_journal.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace docket::runner {
namespace {

constexpr std::uint64_t kPlaces = 131'072;  // 65 s of 2,000 starts a second
constexpr off_t kHeaderBytes = 4096;
constexpr std::uint64_t kMagic = 0x31747374656b6364;  // "dcketst1"

struct Header {
  std::uint64_t magic = kMagic;
  std::uint64_t first_sequence = 1;  // of this boot
  char boot_id[48] = {};
};

}  // namespace

Result<StartJournal> StartJournal::open(const std::filesystem::path& file,
                                        const std::string& boot_id) {
  StartJournal journal;
  journal.fd_ = OwnedFd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!journal.fd_) return fail_errno(fmt::format("can not open {}", file.string()), errno);
  if (auto loaded = journal.load(boot_id); !loaded) return fail(std::move(loaded.error()));
  return journal;
}

Result<> StartJournal::load(const std::string& boot_id) {
  constexpr std::size_t kRingBytes = kPlaces * sizeof(Entry);
  std::vector<Entry> ring(kPlaces);
  Header header;
  if (::pread(fd_.get(), &header, sizeof header, 0) != ssize_t{sizeof header} ||
      header.magic != kMagic) {
    // Zeros are written, not only reserved, so that later syncs carry no metadata.
    if (::pwrite(fd_.get(), ring.data(), kRingBytes, kHeaderBytes) != ssize_t{kRingBytes}) {
      return fail_errno("can not make the journal of starts", errno);
    }
    return write_header(boot_id, 1);
  }
  if (::pread(fd_.get(), ring.data(), kRingBytes, kHeaderBytes) < 0) {
    return fail_errno("can not read the journal of starts", errno);
  }
  for (const Entry& entry : ring) next_sequence_ = std::max(next_sequence_, entry.sequence + 1);
  header.boot_id[sizeof header.boot_id - 1] = '\0';
  const bool same_boot = boot_id == header.boot_id;
  const std::uint64_t first = same_boot ? header.first_sequence : next_sequence_;
  for (const Entry& entry : ring) {
    if (entry.sequence != 0 && entry.sequence < first) earlier_.push_back(entry.token);
  }
  std::sort(earlier_.begin(), earlier_.end());
  return same_boot ? Result<>{} : write_header(boot_id, first);
}

Result<> StartJournal::write_header(const std::string& boot_id, std::uint64_t first_sequence) {
  Header header;
  header.first_sequence = first_sequence;
  std::strncpy(header.boot_id, boot_id.c_str(), sizeof header.boot_id - 1);
  if (::pwrite(fd_.get(), &header, sizeof header, 0) != ssize_t{sizeof header} ||
      ::fsync(fd_.get()) != 0) {
    return fail_errno("can not write the journal of starts", errno);
  }
  return {};
}

Result<> StartJournal::append(const std::vector<TaskId>& tokens) {
  if (tokens.empty()) return {};
  for (const TaskId token : tokens) {
    const Entry entry{next_sequence_, token.value};
    const auto place = static_cast<off_t>(next_sequence_ % kPlaces * sizeof entry);
    if (::pwrite(fd_.get(), &entry, sizeof entry, kHeaderBytes + place) != ssize_t{sizeof entry}) {
      return fail_errno("can not write the journal of starts", errno);
    }
    ++next_sequence_;
  }
  if (::fdatasync(fd_.get()) != 0) return fail_errno("can not sync the journal of starts", errno);
  return {};
}

bool StartJournal::started_before_boot(TaskId token) const {
  return std::binary_search(earlier_.begin(), earlier_.end(), token.value);
}

}  // namespace docket::runner
