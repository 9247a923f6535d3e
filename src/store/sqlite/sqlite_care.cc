#include "store/sqlite/sqlite_care.h"

#include <map>

#include "store/sqlite/backup.h"
#include "store/sqlite/checksum_vfs.h"
#include "store/sqlite/codes.h"
#include "store/sqlite/database.h"
#include "store/sqlite/migrations.h"
#include "store/sqlite/record_export.h"
#include "store/sqlite/vacuum.h"
#include "store/sqlite/verify.h"

namespace docket::store {
namespace {

// The tables of a record family, unless it is just the one of its name.
const std::vector<std::string>* more_tables(const std::string& family) {
  static const std::map<std::string, std::vector<std::string>> kTables{
      {"job", {"job", "job_version", "job_version_use"}},
      {"task", {"task", "task_block"}},
      {"listing", {"listing", "lane"}}};
  const auto found = kTables.find(family);
  return found == kTables.end() ? nullptr : &found->second;
}

std::vector<std::string> tables_of(const std::vector<std::string>& families) {
  std::vector<std::string> tables;
  for (const std::string& family : families) {
    const std::vector<std::string>* more = more_tables(family);
    if (more) tables.insert(tables.end(), more->begin(), more->end());
    if (!more) tables.push_back(family);
  }
  return tables;
}

}  // namespace

SqliteCare::SqliteCare(const std::string& directory, const std::string& vfs)
    : file_(directory + "/docket.db"), vfs_(checksum_vfs(vfs)) {}

Result<> SqliteCare::backup(const std::string& file, engine::CareWatch& watch) {
  return copy_store(file_, file, vfs_, &watch);
}

Result<> SqliteCare::verify(const std::vector<std::string>& families, engine::CareWatch& watch) {
  return verify_store(file_, vfs_, tables_of(families), watch);
}

Result<> SqliteCare::vacuum(engine::CareWatch& watch) { return vacuum_store(file_, vfs_, watch); }

Result<> SqliteCare::checkpoint(engine::CareWatch& watch) {
  return checkpoint_store(file_, vfs_, watch);
}

Result<> SqliteCare::export_records(const std::string& file, engine::CareWatch& watch) {
  return export_store(file_, vfs_, file, watch);
}

// A store is brought to this program's schema when it is opened, so there is nothing left to do.
Result<> SqliteCare::upgrade(engine::CareWatch& watch) {
  Result<Database> database = Database::open(file_, Access::kReadOnly, vfs_);
  if (!database) return fail(database.error());
  const Result<std::int64_t> version = database->number("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto newest = static_cast<double>(newest_schema());
  static_cast<void>(watch.go_on(static_cast<double>(*version), newest));
  if (*version == newest_schema()) return {};
  return fail(ErrorKind::kInternal, "The store has schema " + std::to_string(*version) + ", not " +
                                        std::to_string(newest_schema()));
}

Result<std::uint64_t> SqliteCare::trees_ended_before(Time instant) {
  Result<Database> database = Database::open(file_, Access::kReadOnly, vfs_);
  if (!database) return fail(database.error());
  Statement count(*database,
                  "SELECT count(*) FROM task INDEXED BY run_by_end "
                  "WHERE parent = 0 AND " DOCKET_IS_OVER " AND finished_at < ?");
  const Result<bool> row = count.bind(to_micros(instant)).step();
  if (!row) return fail(row.error());
  return static_cast<std::uint64_t>(count.integer(0));
}

}  // namespace docket::store
