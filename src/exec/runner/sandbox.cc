#include "exec/runner/sandbox.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdio>

#include "exec/runner/log_files.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

// Others may pass through, so that a command running as any user reaches its own directory; they
// can list nothing.
constexpr mode_t kPassThrough = 0711;

Result<> give_to(int fd, const User& owner, const char* what) {
  if (owner.uid == ::geteuid()) return {};
  if (::fchown(fd, owner.uid, owner.gid) == 0) return {};
  return fail_errno(fmt::format("cannot give {} to {}", what, owner.name), errno);
}

// Opens a folder below parent one name at a time, so that no link can lead out.
OwnedFd open_folder(int parent, const std::string& name) {
  return OwnedFd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Result<> open_output(int shard, const std::string& name, const User& owner, OwnedFd& fd) {
  fd = OwnedFd(
      ::openat(shard, name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return fail_errno(fmt::format("cannot make {}", name), errno);
  return give_to(fd.get(), owner, name.c_str());
}

Result<> open_work(int shard, const std::string& name, const User& owner, OwnedFd& fd) {
  if (::mkdirat(shard, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("cannot make the directory {}", name), errno);
  }
  fd = open_folder(shard, name);
  if (!fd) return fail_errno(fmt::format("cannot open the directory {}", name), errno);
  return give_to(fd.get(), owner, name.c_str());
}

// The folder that holds path's last name, and that name.
struct Place {
  OwnedFd folder;
  std::string name;
};

enum class MissingFolders { kMake, kFail };

Result<Place> find_place(int work_fd, const std::string& path, MissingFolders missing,
                         const User* owner) {
  OwnedFd folder(::fcntl(work_fd, F_DUPFD_CLOEXEC, 3));
  std::size_t begin = 0;
  for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', begin)) {
    const std::string name = path.substr(begin, end - begin);
    const bool made =
        missing == MissingFolders::kMake && ::mkdirat(folder.get(), name.c_str(), 0700) == 0;
    folder = open_folder(folder.get(), name);
    if (!folder) return fail_errno(fmt::format("cannot open the folder of {}", path), errno);
    if (made && owner != nullptr) {
      if (auto given = give_to(folder.get(), *owner, "a folder"); !given) {
        return fail(std::move(given.error()));
      }
    }
    begin = end + 1;
  }
  return Place{std::move(folder), path.substr(begin)};
}

Result<> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("cannot write", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

// False, with errno, when it exists already or cannot be made.
bool put_in_place(const fs::path& draft, const fs::path& place) {
  if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system that knows no such rename. The second name must go: the next draft begins by
  // emptying it.
  return ::link(draft.c_str(), place.c_str()) == 0 && ::unlink(draft.c_str()) == 0;
}

}  // namespace

SandboxRoot::SandboxRoot(fs::path dir) : dir_(std::move(dir)) {}

// Made anew if it was removed: by retention with its last attempt, or all of it by hand.
Result<> SandboxRoot::use_shard(TaskId token) {
  const fs::path path = shard_path(dir_, token);
  if (path == shard_path_) return {};
  shard_path_.clear();
  for (const fs::path& folder : {path.parent_path(), path}) {
    if (::mkdir(folder.c_str(), kPassThrough) != 0 && errno != EEXIST) {
      return fail_errno(fmt::format("cannot make {}", folder.string()), errno);
    }
  }
  shard_ = OwnedFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!shard_) return fail_errno(fmt::format("cannot open {}", path.string()), errno);
  shard_path_ = path;
  return {};
}

Result<OwnedFd> SandboxRoot::claim(TaskId token, std::string_view lines) {
  const fs::path draft = dir_ / "claim";
  OwnedFd record(::open(draft.c_str(),
                        O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!record) return fail_errno(fmt::format("cannot make {}", draft.string()), errno);
  if (auto written = write_all(record.get(), lines); !written) return fail(written.error());
  if (auto used = use_shard(token); !used) return fail(std::move(used.error()));
  const fs::path place = record_path(dir_, token);
  bool placed = put_in_place(draft, place);
  if (!placed && errno == ENOENT) {
    shard_path_.clear();
    if (auto used = use_shard(token); !used) return fail(std::move(used.error()));
    placed = put_in_place(draft, place);
  }
  if (placed) return record;
  if (errno == EEXIST) return OwnedFd();
  return fail_errno(fmt::format("cannot make {}", place.string()), errno);
}

Result<> SandboxRoot::open(TaskId token, const User& owner, Sandbox& sandbox) {
  if (auto used = use_shard(token); !used) return used;
  const std::string name = std::to_string(token.value);
  const int shard = shard_.get();
  if (auto work = open_work(shard, name, owner, sandbox.work); !work) return work;
  if (auto out = open_output(shard, name + ".stdout", owner, sandbox.out); !out) return out;
  return open_output(shard, name + ".stderr", owner, sandbox.err);
}

bool SandboxRoot::has_record(TaskId token) const {
  return ::access(record_path(dir_, token).c_str(), F_OK) == 0;
}

std::optional<std::string> SandboxRoot::read_record(TaskId token) const {
  std::string text = read_small_file(AT_FDCWD, record_path(dir_, token).c_str());
  if (text.empty() && !has_record(token)) return std::nullopt;
  return text;
}

OwnedFd SandboxRoot::append_record(TaskId token) const {
  return OwnedFd(
      ::open(record_path(dir_, token).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

bool append_lines(const OwnedFd& record, std::string_view lines) {
  const ssize_t written = ::write(record.get(), lines.data(), lines.size());
  if (written == std::ssize(lines)) return true;
  const int error = written < 0 ? errno : ENOSPC;
  struct stat info{};
  if (written > 0 && ::fstat(record.get(), &info) == 0) {
    (void)!::ftruncate(record.get(), info.st_size - written);
  }
  errno = error;
  return false;
}

Result<> write_secret(int work_fd, const SecretFile& file, const User& owner) {
  auto place = find_place(work_fd, file.path, MissingFolders::kMake, &owner);
  if (!place) return fail(std::move(place.error()));
  OwnedFd fd(::openat(place->folder.get(), place->name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fd) return fail_errno(fmt::format("cannot make the secret file {}", file.path), errno);
  if (auto given = give_to(fd.get(), owner, file.path.c_str()); !given) return given;
  return write_all(fd.get(), file.content);
}

void remove_secrets(int work_fd, const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const auto place = find_place(work_fd, path, MissingFolders::kFail, nullptr);
    if (place) ::unlinkat(place->folder.get(), place->name.c_str(), 0);
  }
}

}  // namespace docket::runner
