#include "exec/runner/epoch_file.h"

#include <fmt/format.h>

#include <charconv>
#include <string>

#include "exec/runner/owned_fd.h"

namespace docket::runner {
namespace {

std::string path_in(const std::filesystem::path& dir) { return (dir / "epoch").string(); }

}  // namespace

std::uint64_t epoch_seen(const std::filesystem::path& dir) {
  const std::string text = read_small_file(AT_FDCWD, path_in(dir).c_str());
  std::uint64_t epoch = 0;
  std::from_chars(text.data(), text.data() + text.size(), epoch);
  return epoch;
}

// One write over the old number, which is never longer.
Result<> note_epoch(const std::filesystem::path& dir, std::uint64_t epoch) {
  const OwnedFd fd(::open(path_in(dir).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string text = fmt::format("{}\n", epoch);
  if (fd && ::pwrite(fd.get(), text.data(), text.size(), 0) == std::ssize(text)) return {};
  return fail_errno("cannot write " + path_in(dir), errno);
}

}  // namespace docket::runner
