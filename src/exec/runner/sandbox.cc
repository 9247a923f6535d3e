#include "exec/runner/sandbox.h"

#include <fmt/format.h>
#include <sys/stat.h>

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
  return fail_errno(fmt::format("can not give {} to {}", what, owner.name), errno);
}

// Opens a folder below parent one name at a time, so that no link can lead out.
OwnedFd open_folder(int parent, const std::string& name) {
  return OwnedFd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

Result<> open_output(int shard, const std::string& name, const User& owner, OwnedFd& fd) {
  fd = OwnedFd(
      ::openat(shard, name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd) return fail_errno(fmt::format("can not make {}", name), errno);
  return give_to(fd.get(), owner, name.c_str());
}

Result<> open_work(int shard, const std::string& name, const User& owner, OwnedFd& fd) {
  if (::mkdirat(shard, name.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("can not make the directory {}", name), errno);
  }
  fd = open_folder(shard, name);
  if (!fd) return fail_errno(fmt::format("can not open the directory {}", name), errno);
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
    if (!folder) return fail_errno(fmt::format("can not open the folder of {}", path), errno);
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
    if (n < 0) return fail_errno("can not write", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

SandboxRoot::SandboxRoot(fs::path dir) : dir_(std::move(dir)) {
  ::mkdir((dir_ / "attempts").c_str(), kPassThrough);
}

Result<> SandboxRoot::use_shard(const fs::path& path) {
  if (::mkdir(path.c_str(), kPassThrough) != 0 && errno != EEXIST) {
    return fail_errno(fmt::format("can not make {}", path.string()), errno);
  }
  shard_ = OwnedFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!shard_) return fail_errno(fmt::format("can not open {}", path.string()), errno);
  shard_path_ = path;
  return {};
}

Result<OwnedFd> SandboxRoot::claim(TaskId token) {
  const fs::path shard = shard_path(dir_, token);
  const std::string name = record_path(dir_, token).filename();
  for (const bool again : {false, true}) {
    if (shard != shard_path_ || again) {  // again: retention removed it with its last attempt
      if (auto used = use_shard(shard); !used) return fail(std::move(used.error()));
    }
    OwnedFd record(::openat(shard_.get(), name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
    if (record || errno == EEXIST) return record;
    if (errno != ENOENT) break;
  }
  return fail_errno(fmt::format("can not make {}", (shard / name).string()), errno);
}

Result<> SandboxRoot::open(TaskId token, const User& owner, Sandbox& sandbox) {
  if (!sandbox.record) sandbox.record = append_record(token);
  if (!sandbox.record) return fail_errno("can not make the attempt's record", errno);
  const std::string name = std::to_string(token.value);
  const int shard = shard_.get();  // the claim's
  if (auto work = open_work(shard, name, owner, sandbox.work); !work) return work;
  if (auto out = open_output(shard, name + ".stdout", owner, sandbox.out); !out) return out;
  return open_output(shard, name + ".stderr", owner, sandbox.err);
}

std::optional<std::string> SandboxRoot::read_record(TaskId token) const {
  const fs::path path = record_path(dir_, token);
  std::string text = read_small_file(AT_FDCWD, path.c_str());
  if (text.empty() && ::access(path.c_str(), F_OK) != 0) return std::nullopt;
  return text;
}

OwnedFd SandboxRoot::append_record(TaskId token) const {
  return OwnedFd(
      ::open(record_path(dir_, token).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

bool is_inner_path(std::string_view path) {
  if (path.empty() || path.back() == '/') return false;
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20) return false;
  }
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view name = path.substr(0, end);
    if (name.empty() || name == "." || name == "..") return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

Result<> write_secret(int work_fd, const engine::SecretFile& file, const User& owner) {
  auto place = find_place(work_fd, file.path, MissingFolders::kMake, &owner);
  if (!place) return fail(std::move(place.error()));
  OwnedFd fd(::openat(place->folder.get(), place->name.c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fd) return fail_errno(fmt::format("can not make the secret file {}", file.path), errno);
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
