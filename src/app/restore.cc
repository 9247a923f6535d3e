#include "app/restore.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "app/data_directory.h"
#include "app/system.h"
#include "engine/lock_table.h"
#include "engine/operations.h"
#include "exec/runner/attempt_sweeper.h"
#include "kinds/maintenance/maintenance_kind.h"
#include "store/sqlite/file_header.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/log_check.h"
#include "store/sqlite/sqlite_care.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStore = "docket.db";
constexpr const char* kLog = "-wal";
constexpr const char* kIndex = "-shm";

fs::path beside(const fs::path& store, const char* suffix) { return store.string() + suffix; }

// Missing counts as empty.
bool has_nothing(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error == std::errc::no_such_file_or_directory || (!error && size == 0);
}

tl::unexpected<Error> failure(const std::string& what, const std::error_code& code) {
  const bool full = code == std::errc::no_space_on_device;
  return fail(full ? ErrorKind::kExhausted : ErrorKind::kUnavailable, what + ": " + code.message());
}
tl::unexpected<Error> system_failure(const std::string& what) {
  return failure(what, {errno, std::generic_category()});
}

Result<> sync(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_failure("cannot open " + path.string());
  const int code = ::fsync(descriptor);
  const int why = errno;
  ::close(descriptor);
  errno = why;
  return code == 0 ? Result<>{} : system_failure("cannot sync " + path.string());
}

class Unwatched : public engine::CareWatch {
 public:
  bool go_on(double, double) override { return true; }
  void rest() override {}
};

// A directory that starts empty and is removed at the end.
class Staging {
 public:
  explicit Staging(fs::path directory) : directory_(std::move(directory)) { remove(); }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { remove(); }

  Result<> make() {
    std::error_code error;
    fs::create_directory(directory_, error);
    if (!error) fs::permissions(directory_, fs::perms::owner_all, error);
    return error ? failure("cannot make " + directory_.string(), error) : Result<>{};
  }
  const fs::path& directory() const { return directory_; }
  fs::path store() const { return directory_ / kStore; }

 private:
  void remove() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  const fs::path directory_;
};

// ---- the file

Result<> check_source(const fs::path& file, const fs::path& store) {
  std::error_code error;
  if (!fs::exists(file, error)) return fail(ErrorKind::kNotFound, "there is no " + file.string());
  if (!fs::is_regular_file(file, error) || has_nothing(file)) {
    return fail(ErrorKind::kInvalid, file.string() + " is not a docket store");
  }
  if (fs::equivalent(file, store, error)) {
    return fail(ErrorKind::kInvalid, file.string() + " is the store itself");
  }
  // Part of what was committed may be in the log only; a copy of the file alone would lose it.
  if (const fs::path log = beside(file, kLog); !has_nothing(log)) {
    return fail(ErrorKind::kInvalid, file.string() + " is not a backup, but a store in use: " +
                                         log.string() + " exists; `docket backup` copies it");
  }
  return store::check_header(file.string());
}

Result<> copy_in(const fs::path& file, const fs::path& to) {
  std::error_code error;
  fs::copy_file(file, to, error);
  if (!error) fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  return error ? failure("cannot copy " + file.string(), error) : Result<>{};
}

// ---- the task

// Receives what the engine would provide to operations.
class Ledger : public engine::Operations::Journal {
 public:
  explicit Ledger(const engine::Snapshot& snapshot)
      : last_task_(snapshot.last_task), last_event_(snapshot.last_event) {}
  Time trusted(Time now) const override { return now; }
  TaskId new_task() override { return TaskId{++last_task_.value}; }
  const std::string& refusal() const override { return refusal_; }
  EventSeq append(model::Event event, const std::string&) override {
    event.seq = EventSeq{++last_event_.value};
    batch_.events.push_back(std::move(event));
    return last_event_;
  }
  engine::Batch& batch() override { return batch_; }
  void ended(TaskId) override {}

 private:
  TaskId last_task_;
  EventSeq last_event_;
  std::string refusal_;
  engine::Batch batch_;
};

model::Operation operation_of(const fs::path& file) {
  model::Operation what;
  what.module = kinds::kMaintenance;
  what.type = "restore";
  what.scope = "node";
  what.entity = file.filename().string();
  what.units = care::units_of(care::Chore::kBackup);
  what.user = true;
  what.local = true;
  return what;
}

struct Span {
  Time began;
  Time ended;
};

bool is_live_chore(const model::Task& task) {
  return task.operation && !task.parent && !model::is_final(task.state) && task.operation->local &&
         task.operation->module == kinds::kMaintenance;
}

Time written_at(const std::string& file) {
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return {};
  return Time{} + std::chrono::seconds{status.st_mtim.tv_sec} +
         std::chrono::microseconds{status.st_mtim.tv_nsec / 1000};
}

// How a chore that was live in the snapshot ended.
struct End {
  model::State state;
  const char* message;
  Time at;
};

void end(engine::TaskTree& tree, engine::Node& node, const End& how) {
  const bool runs = how.state == model::State::kDone && node.task.state != model::State::kRunning;
  if (runs) tree.change(node, model::State::kRunning, {}, how.at);
  tree.change(node, how.state, how.message, how.at);
}

// The part of the tree that the restore changes, in memory. Other work that was live in the
// snapshot continues when the server starts.
class Amendment {
 public:
  Amendment(const engine::Snapshot& snapshot, double bytes)
      : snapshot_(snapshot), bytes_(bytes), ledger_(snapshot) {
    engine::Snapshot lanes;
    lanes.lanes = snapshot.lanes;
    operations_.restore(lanes, {});
  }

  // Together with its attempt; its lock becomes free.
  void end_chore(const model::Task& chore, const End& how) {
    engine::Node& root = tree_.insert(chore, nullptr);
    for (const model::Task& task : snapshot_.tasks) {
      if (task.parent != chore.id || model::is_final(task.state)) continue;
      end(tree_, tree_.insert(task, nullptr), how);
    }
    if (how.state == model::State::kDone) {
      root.task.tally = {.counts = true, .completed = bytes_, .total = bytes_};
    }
    end(tree_, root, how);
    operations_.list_ended(root, how.at);
    engine::LockTable locks;
    locks.restore(snapshot_.locks);
    const std::vector<model::LockRequest> its{{.name = kinds::kMaintenanceLock}};
    locks.release(its, chore.id, ledger_.batch().locks);
  }

  Result<TaskId> add_restore(const fs::path& file, Span span) {
    const auto node = operations_.create(operation_of(file), {}, true, span.began);
    if (!node) return fail(node.error());
    const TaskId task = (*node)->task.id;
    const auto told = operations_.report(task, {.completed = bytes_, .total = bytes_}, span.ended);
    if (!told) return fail(told.error());
    if (auto done = operations_.finish(task, {}, span.ended); !done) return fail(done.error());
    return task;
  }

  const engine::Batch& take() {
    tree_.take(ledger_.batch());
    return ledger_.batch();
  }

 private:
  const engine::Snapshot& snapshot_;
  const double bytes_;
  Ledger ledger_;
  const engine::Settings settings_;
  engine::TaskTree tree_{ledger_};
  engine::Operations operations_{settings_, tree_, ledger_};
};

Result<TaskId> put_task(store::SqliteStore& store, const engine::Snapshot& snapshot,
                        const RestoreOrder& order, double bytes, Span span) {
  Amendment amendment(snapshot, bytes);
  const Time written = std::min(written_at(order.file), span.began);
  for (const model::Task& task : snapshot.tasks) {
    if (!is_live_chore(task)) continue;
    // The backup that made this file was still live in it. The file is complete, so the backup
    // succeeded.
    const bool made_it = task.operation->entity == fs::path(order.file).filename().string();
    amendment.end_chore(task, made_it
                                  ? End{model::State::kDone, "", std::max(task.started_at, written)}
                                  : End{model::State::kFailed, kinds::kServerEnded, span.began});
  }
  auto task = amendment.add_restore(order.file, span);
  if (!task) return fail(task.error());
  if (auto put = store.commit(amendment.take()); !put) return fail(put.error());
  return task;
}

std::string missing_key(const fs::path& data_dir) {
  SystemRandom unused;
  const fs::path key = data_dir / "secret.key";
  std::error_code error;
  if (fs::exists(key, error)) return {};
  const auto vault = FileVault::open(key.string(), true, unused);
  return vault ? std::string() : vault.error().message;
}

// Opens and closes it like a server: migrated, written, with an empty log.
Result<> adopt(const Staging& staging, const RestoreOrder& order, Time began, Clock& clock,
               Restored& restored) {
  Unwatched watch;
  store::SqliteCare care(staging.directory().string());
  if (auto sound = care.verify({}, watch); !sound) return sound;
  const auto store = store::SqliteStore::open({.directory = staging.directory().string()});
  if (!store) return fail(store.error());
  auto snapshot = (*store)->load();
  if (!snapshot) return fail(snapshot.error());
  if (!snapshot->secrets.empty()) restored.warning = missing_key(order.data_dir);
  // The runner may know attempts newer than the backup.
  const TaskId highest = runner::highest_token(order.data_dir + "/runner");
  snapshot->last_task = std::max(snapshot->last_task, highest);
  const auto task = put_task(**store, *snapshot, order, static_cast<double>(restored.bytes),
                             {began, clock.now()});
  if (!task) return fail(task.error());
  restored.task = *task;
  return {};
}

// ---- replacing the store

// Includes its log if possible: the file alone is then the whole store.
bool is_settled(const fs::path& store) {
  Unwatched watch;
  if (!store::check_log(store.string()) || !store::check_header(store.string())) return false;
  store::SqliteCare care(store.parent_path().string());
  return care.checkpoint(watch) && has_nothing(beside(store, kLog));
}

Result<> move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error ? failure("cannot rename " + from.string(), error) : Result<>{};
}

fs::path free_name(const fs::path& store, Time now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::string wanted = fmt::format("{}.{:%Y%m%dT%H%M%SZ}", store.string(), seconds);
  fs::path name = wanted;
  for (int number = 2; fs::exists(name); ++number) name = fmt::format("{}-{}", wanted, number);
  return name;
}

// The new store is first renamed to the old one's future name, then the two are swapped atomically.
Result<> exchange(const fs::path& fresh, const fs::path& store, const fs::path& aside) {
  std::error_code ignored;
  // A log that cannot be merged into a damaged store is moved with it, and before it: the log must
  // never lie beside another store.
  if (!is_settled(store) && !has_nothing(beside(store, kLog))) {
    if (auto moved = move_file(beside(store, kLog), beside(aside, kLog)); !moved) return moved;
  }
  fs::remove(beside(store, kLog), ignored);
  fs::remove(beside(store, kIndex), ignored);
  if (auto moved = move_file(fresh, aside); !moved) return moved;
  if (auto synced = sync(store.parent_path()); !synced) return synced;
  if (::renameat2(AT_FDCWD, aside.c_str(), AT_FDCWD, store.c_str(), RENAME_EXCHANGE) == 0) {
    return {};
  }
  auto failed = system_failure("cannot replace " + store.string());
  fs::remove(aside, ignored);
  return failed;
}

Result<> take_place(const fs::path& fresh, const fs::path& store, Time now, Restored& restored) {
  std::error_code ignored;
  if (!has_nothing(beside(fresh, kLog))) {
    return fail(ErrorKind::kInternal, "the log of the new store is not empty");
  }
  if (auto synced = sync(fresh); !synced) return synced;
  if (fs::exists(store)) {
    const fs::path aside = free_name(store, now);
    if (auto done = exchange(fresh, store, aside); !done) return done;
    restored.aside = aside.string();
  } else {
    fs::remove(beside(store, kLog), ignored);
    fs::remove(beside(store, kIndex), ignored);
    if (auto moved = move_file(fresh, store); !moved) return moved;
  }
  return sync(store.parent_path());
}

// Files that root creates in another user's directory must belong to that user, or its server could
// not open them. Lasts for the rest of the process.
Result<> become_owner_of(const std::string& directory) {
  struct stat status{};
  const bool others = ::stat(directory.c_str(), &status) == 0 && status.st_uid != 0;
  if (::geteuid() != 0 || !others) return {};
  if (::setgroups(0, nullptr) == 0 && ::setegid(status.st_gid) == 0 &&
      ::seteuid(status.st_uid) == 0) {
    return {};
  }
  return system_failure("cannot become the user that " + directory + " belongs to");
}

}  // namespace

Result<Restored> restore_store(const RestoreOrder& order, Clock& clock) {
  if (auto became = become_owner_of(order.data_dir); !became) return fail(became.error());
  const Time began = clock.now();
  const fs::path store = fs::path(order.data_dir) / kStore;
  if (auto sound = check_source(order.file, store); !sound) return fail(sound.error());
  if (auto made = prepare_directory(order.data_dir); !made) return fail(made.error());
  const auto lock = store::LockFile::take(order.data_dir + "/docket.lock");
  if (!lock) return fail(lock.error());
  if (!order.replace && !has_nothing(store)) {
    return fail(ErrorKind::kConflict,
                store.string() + " exists: --force sets it aside under another name");
  }
  Staging staging(fs::path(order.data_dir) / "restore.partial");
  if (auto made = staging.make(); !made) return fail(made.error());
  if (auto copied = copy_in(order.file, staging.store()); !copied) return fail(copied.error());
  Restored restored{
      .bytes = fs::file_size(staging.store()), .task = {}, .aside = {}, .warning = {}};
  if (auto adopted = adopt(staging, order, began, clock, restored); !adopted) {
    adopted.error().message = order.file + " cannot be restored: " + adopted.error().message;
    return fail(adopted.error());
  }
  if (auto placed = take_place(staging.store(), store, clock.now(), restored); !placed) {
    return fail(placed.error());
  }
  return restored;
}

}  // namespace docket::app
