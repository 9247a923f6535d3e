#include "store/sqlite/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace docket::store {
namespace {

tl::unexpected<Error> system_failure(const std::string& doing) {
  const ErrorKind kind = errno == ENOSPC || errno == EDQUOT ? ErrorKind::kExhausted
                         : errno == EEXIST                  ? ErrorKind::kConflict
                                                            : ErrorKind::kUnavailable;
  return fail(kind, doing + ": " + std::generic_category().message(errno));
}

Result<> sync_path(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) return system_failure("cannot open " + path);
  const int synced = fsync(descriptor);
  close(descriptor);
  if (synced != 0) return system_failure("cannot sync " + path);
  return {};
}

}  // namespace

Result<NewFile> NewFile::begin(const std::string& name) {
  if (access(name.c_str(), F_OK) == 0) return fail(ErrorKind::kConflict, name + " exists already");
  NewFile file(name);
  unlink(file.partial().c_str());  // left by a crash
  const int descriptor =
      open(file.partial().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return system_failure("cannot make " + file.partial());
  close(descriptor);
  return file;
}

NewFile::~NewFile() {
  if (!name_.empty()) unlink(partial().c_str());
}

// link() refuses an existing name.
Result<> NewFile::publish() {
  if (Result<> synced = sync_path(partial(), O_RDONLY); !synced) return synced;
  if (link(partial().c_str(), name_.c_str()) != 0) return system_failure("cannot make " + name_);
  const std::string directory = std::filesystem::path(name_).parent_path().string();
  return sync_path(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace docket::store
