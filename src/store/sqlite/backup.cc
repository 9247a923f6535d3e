#include "store/sqlite/backup.h"

#include <sqlite3.h>

#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/database.h"
#include "store/sqlite/new_file.h"

namespace docket::store {
namespace {

constexpr int kPagesAtOnce = 1024;

bool go_on(sqlite3_backup* copy, engine::CareWatch* watch) {
  if (!watch) return true;
  const double all = sqlite3_backup_pagecount(copy);
  const double rest = sqlite3_backup_remaining(copy);
  return watch->go_on((all - rest) * kPageBytes, all * kPageBytes);
}

Result<> copy_pages(Database& from, Database& to, engine::CareWatch* watch) {
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (!copy) return fail(error_of(to.handle(), sqlite3_errcode(to.handle()), "backup"));
  int code = SQLITE_OK;
  bool wanted = true;
  while (code == SQLITE_OK && wanted) {
    code = sqlite3_backup_step(copy, kPagesAtOnce);
    wanted = go_on(copy, watch);
  }
  sqlite3_backup_finish(copy);
  if (code == SQLITE_OK) return engine::cancelled();
  if (code != SQLITE_DONE) return fail(error_of(to.handle(), code, "backup"));
  return {};
}

Result<> copy_into(const std::string& from, const std::string& partial, const std::string& vfs,
                   engine::CareWatch* watch) {
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
  return ready ? copy_pages(*source, *target, watch) : ready;
}

}  // namespace

Result<> copy_store(const std::string& from, const std::string& to, const std::string& vfs,
                    engine::CareWatch* watch) {
  Result<NewFile> file = NewFile::begin(to);
  if (!file) return fail(file.error());
  Result<> copied = copy_into(from, file->partial(), vfs, watch);
  return copied ? file->publish() : copied;
}

}  // namespace docket::store
