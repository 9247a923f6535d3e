#include "store/sqlite/backup.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "store/sqlite/database.h"

namespace docket::store {
namespace {

constexpr int kPagesAtOnce = 1024;

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

Result<> copy_pages(Database& from, Database& to) {
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (!copy) return fail(error_of(to.handle(), sqlite3_errcode(to.handle()), "backup"));
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(copy, kPagesAtOnce);
  sqlite3_backup_finish(copy);
  if (code != SQLITE_DONE) return fail(error_of(to.handle(), code, "backup"));
  return {};
}

Result<> copy_to(const std::string& from, const std::string& partial, const std::string& vfs) {
  Result<Database> source = Database::open(from, Access::kReadOnly, vfs);
  if (!source) return fail(source.error());
  const Transaction snapshot(*source, Transaction::Mode::kRead);
  if (!snapshot.begun()) return snapshot.begun();
  // BEGIN alone takes no snapshot; the first read does.
  if (const auto read = source->number("SELECT count(*) FROM meta"); !read)
    return fail(read.error());
  Result<Database> target = Database::open(partial, Access::kReadWrite, vfs);
  if (!target) return fail(target.error());
  // The file is synced as a whole at the end, and thrown away when anything fails before.
  Result<> ready = target->run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF");
  return ready ? copy_pages(*source, *target) : ready;
}

// link() refuses an existing name, so that nobody's file is ever replaced.
Result<> publish(const std::string& partial, const std::string& to) {
  if (Result<> synced = sync_path(partial, O_RDONLY); !synced) return synced;
  if (link(partial.c_str(), to.c_str()) != 0) return system_failure("cannot make " + to);
  std::string directory = std::filesystem::path(to).parent_path().string();
  return sync_path(directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace

Result<> copy_store(const std::string& from, const std::string& to, const std::string& vfs) {
  if (access(to.c_str(), F_OK) == 0) return fail(ErrorKind::kConflict, to + " exists already");
  const std::string partial = to + ".partial";
  unlink(partial.c_str());
  Result<> done = copy_to(from, partial, vfs);
  if (done) done = publish(partial, to);
  unlink(partial.c_str());
  return done;
}

}  // namespace docket::store
