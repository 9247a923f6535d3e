#include "app/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace docket::app {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kPassThrough = 0711;
constexpr mode_t kParent = 0755;
constexpr mode_t kOthersRead = 0044;
constexpr mode_t kOthersWrite = 0022;

tl::unexpected<Error> failure(const std::string& what, int code) {
  const bool full = code == ENOSPC || code == EDQUOT;
  return fail(full ? ErrorKind::kExhausted : ErrorKind::kUnavailable,
              what + ": " + std::generic_category().message(code));
}

// The modes are set explicitly: a umask can only remove bits, and a umask of 0 removes none.
Result<> make(const fs::path& directory, mode_t mode) {
  if (::mkdir(directory.c_str(), mode) != 0) {
    if (errno == EEXIST) return {};
    return failure("cannot make " + directory.string(), errno);
  }
  if (::chmod(directory.c_str(), mode) == 0) return {};
  return failure("cannot set the mode of " + directory.string(), errno);
}

Result<> make_with_parents(const fs::path& directory) {
  fs::path path;
  for (const fs::path& part : directory.parent_path()) {
    path /= part;
    struct stat status{};
    if (::stat(path.c_str(), &status) == 0) continue;
    if (auto made = make(path, kParent); !made) return made;
  }
  return make(directory, kPassThrough);
}

fs::path without_slash(const std::string& directory) {
  std::error_code ignored;
  const fs::path path = fs::absolute(directory, ignored).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

bool is_trusted(uid_t owner) { return owner == ::geteuid() || owner == 0; }

}  // namespace

Result<> prepare_directory(const std::string& directory) {
  const fs::path path = without_slash(directory);
  if (auto made = make_with_parents(path); !made) return made;
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return failure("cannot inspect " + directory, errno);
  if (!S_ISDIR(status.st_mode)) return failure("cannot use " + directory, ENOTDIR);
  if (!is_trusted(status.st_uid)) {
    return fail(ErrorKind::kDenied,
                fmt::format("{} belongs to user {}, who is neither root nor the one that runs "
                            "docket (user {}): `chown` it, or name another directory",
                            directory, status.st_uid, ::geteuid()));
  }
  if ((status.st_mode & kOthersWrite) != 0) {
    return fail(ErrorKind::kDenied,
                fmt::format("{} has mode {:04o}: others may write into it, and so could control "
                            "this server. Check its contents, then `chmod go-w` it",
                            directory, status.st_mode & 07777));
  }
  const bool is_ours = status.st_uid == ::geteuid();
  if (!is_ours || (status.st_mode & kOthersRead) == 0) return {};
  if (::chmod(path.c_str(), status.st_mode & ~kOthersRead & 07777) == 0) return {};
  return failure("cannot close " + directory + " to readers", errno);
}

// ---- whether there is a store

Result<StoreRule> parse_store_rule(const std::string& text) {
  using enum StoreRule::Kind;
  if (text == "true") return StoreRule{kMustExist, {}};
  if (text == "false") return StoreRule{kMayBeMissing, {}};
  if (text.starts_with('/')) return StoreRule{kMustExistOnceSeen, text};
  return fail(ErrorKind::kInvalid,
              fmt::format("neither true nor false nor the path of a file: \"{}\"", text));
}

Result<> check_store_is_there(const std::string& directory, const StoreRule& rule) {
  using enum StoreRule::Kind;
  if (rule.kind == kMayBeMissing) return {};
  struct stat status{};
  const std::string store = directory + "/docket.db";
  if (::stat(store.c_str(), &status) == 0 && status.st_size > 0) return {};
  if (rule.kind == kMustExist) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("there is no store in {}, but require-store demands one: "
                            "is its disk not mounted?",
                            directory));
  }
  if (::stat(rule.mark.c_str(), &status) != 0) return {};
  return fail(ErrorKind::kUnavailable,
              fmt::format("there is no store in {}, but {} records that there was one: is its disk "
                          "not mounted? To start with an empty store, remove that file",
                          directory, rule.mark));
}

Result<> mark_store_seen(const StoreRule& rule) {
  if (rule.kind != StoreRule::Kind::kMustExistOnceSeen) return {};
  const int file = ::open(rule.mark.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) return failure("cannot make " + rule.mark + ", the mark of require-store", errno);
  ::close(file);
  return {};
}

// ---- files

Result<> keep_private(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return {};  // opening it will report why
  if ((status.st_mode & 0077) == 0) return {};
  const bool is_ours = status.st_uid == ::geteuid();
  if (is_ours && ::chmod(file.c_str(), status.st_mode & 0700) == 0) return {};
  if (!is_ours && (status.st_mode & 0007) == 0) return {};  // its owner has chosen the group
  return fail(ErrorKind::kDenied,
              fmt::format("{} has mode {:04o}: others may read it; `chmod 600` it", file,
                          status.st_mode & 07777));
}

}  // namespace docket::app
