#include "store/sqlite/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace docket::store {

Result<LockFile> LockFile::take(const std::string& file) {
  LockFile lock(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock.descriptor_ < 0) {
    return fail(ErrorKind::kUnavailable,
                "cannot open " + file + ": " + std::generic_category().message(errno));
  }
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0) {
    return fail(ErrorKind::kConflict, "another docket server has this store open: " + file);
  }
  return lock;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace docket::store
