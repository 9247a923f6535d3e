#include "support/faults/fault_vfs.h"

#include <sqlite3.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace docket::store {
namespace {

// A wrapped file; the real one follows it in memory.
struct FaultFile {
  sqlite3_file base;
  FaultVfs* world;
  const char* path;  // SQLite keeps it until the file is closed
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile& wrapped(sqlite3_file* file) { return *reinterpret_cast<FaultFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return wrapped(file).real(); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *real(file)->pMethods; }

FaultVfs& world_of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }

int code_of(Operation operation) {
  switch (operation) {
    case Operation::kOpen:
      return SQLITE_CANTOPEN;
    case Operation::kWrite:
      return SQLITE_IOERR_WRITE;
    case Operation::kSync:
      return SQLITE_IOERR_FSYNC;
    case Operation::kTruncate:
      return SQLITE_IOERR_TRUNCATE;
    case Operation::kDelete:
      return SQLITE_IOERR_DELETE;
  }
  return SQLITE_IOERR;
}

int close_file(sqlite3_file* file) { return methods(file).xClose(real(file)); }

int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  FaultFile& self = wrapped(file);
  if (const int code = self.world->before(Operation::kWrite); code != SQLITE_OK) return code;
  sqlite3_int64 length = 0;
  methods(file).xFileSize(real(file), &length);
  if (offset + size > length && self.world->is_full()) return SQLITE_FULL;
  const int code = methods(file).xWrite(real(file), data, size, offset);
  if (code == SQLITE_OK) {
    self.world->wrote(self.path, offset, data, static_cast<std::size_t>(size));
  }
  return code;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  FaultFile& self = wrapped(file);
  if (const int code = self.world->before(Operation::kTruncate); code != SQLITE_OK) return code;
  const int code = methods(file).xTruncate(real(file), size);
  if (code == SQLITE_OK) self.world->truncated(self.path, size);
  return code;
}

int sync_file(sqlite3_file* file, int) {
  FaultFile& self = wrapped(file);
  if (const int code = self.world->before(Operation::kSync); code != SQLITE_OK) return code;
  self.world->synced(self.path);
  return SQLITE_OK;
}

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** at) {
  if (extend && wrapped(file).world->is_full()) return SQLITE_IOERR_SHMSIZE;
  return methods(file).xShmMap(real(file), region, size, extend, at);
}

sqlite3_io_methods fault_methods() {
  sqlite3_io_methods all{};
  all.iVersion = 2;  // no memory mapping: every read and write is seen
  all.xClose = close_file;
  all.xRead = [](sqlite3_file* f, void* data, int size, sqlite3_int64 offset) {
    return methods(f).xRead(real(f), data, size, offset);
  };
  all.xWrite = write_file;
  all.xTruncate = truncate_file;
  all.xSync = sync_file;
  all.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
    return methods(f).xFileSize(real(f), n);
  };
  all.xLock = [](sqlite3_file* f, int level) { return methods(f).xLock(real(f), level); };
  all.xUnlock = [](sqlite3_file* f, int level) { return methods(f).xUnlock(real(f), level); };
  all.xCheckReservedLock = [](sqlite3_file* f, int* held) {
    return methods(f).xCheckReservedLock(real(f), held);
  };
  all.xFileControl = [](sqlite3_file* f, int what, void* argument) {
    return what == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK
                                          : methods(f).xFileControl(real(f), what, argument);
  };
  all.xSectorSize = [](sqlite3_file* f) { return methods(f).xSectorSize(real(f)); };
  all.xDeviceCharacteristics = [](sqlite3_file* f) {
    return methods(f).xDeviceCharacteristics(real(f));
  };
  all.xShmMap = map_shared;
  all.xShmLock = [](sqlite3_file* f, int first, int count, int flags) {
    return methods(f).xShmLock(real(f), first, count, flags);
  };
  all.xShmBarrier = [](sqlite3_file* f) { methods(f).xShmBarrier(real(f)); };
  all.xShmUnmap = [](sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); };
  return all;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultVfs& world = world_of(vfs);
  file->pMethods = nullptr;
  if (const int code = world.before(Operation::kOpen); code != SQLITE_OK) return code;
  const bool makes_file =
      (flags & SQLITE_OPEN_CREATE) != 0 && name && !std::filesystem::exists(name);
  if (makes_file && world.is_full()) {
    errno = ENOSPC;
    return SQLITE_CANTOPEN;
  }
  FaultFile& self = wrapped(file);
  const int code = world.base()->xOpen(world.base(), name, self.real(), flags, out_flags);
  if (code != SQLITE_OK) return code;
  static const sqlite3_io_methods kMethods = fault_methods();
  self.world = &world;
  self.path = name ? name : "";
  self.world->opened(self.path);
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int) {
  FaultVfs& world = world_of(vfs);
  if (const int code = world.before(Operation::kDelete); code != SQLITE_OK) return code;
  world.deleted(name);
  return world.base()->xDelete(world.base(), name, 0);
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

FaultVfs::FaultVfs(const std::string& name) : name_(name), base_(sqlite3_vfs_find(nullptr)) {
  vfs_ = std::make_unique<sqlite3_vfs>(*base_);
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->szOsFile = static_cast<int>(sizeof(FaultFile)) + base_->szOsFile;
  vfs_->xOpen = open_file;
  vfs_->xDelete = delete_file;
  vfs_->xAccess = [](sqlite3_vfs* v, const char* file, int flags, int* out) {
    return world_of(v).base()->xAccess(world_of(v).base(), file, flags, out);
  };
  vfs_->xFullPathname = [](sqlite3_vfs* v, const char* file, int size, char* out) {
    return world_of(v).base()->xFullPathname(world_of(v).base(), file, size, out);
  };
  vfs_->xGetLastError = [](sqlite3_vfs*, int, char*) { return errno; };
  sqlite3_vfs_register(vfs_.get(), 0);
}

FaultVfs::~FaultVfs() { sqlite3_vfs_unregister(vfs_.get()); }

void FaultVfs::fail(Operation operation, std::uint64_t nth) {
  fail_at_[static_cast<int>(operation)] = count(operation) + nth;
}

void FaultVfs::cut_power_after(std::uint64_t operations) { power_ = operations; }

void FaultVfs::heal() {
  for (std::uint64_t& at : fail_at_) at = 0;
  for (std::uint64_t& each : counts_) each = 0;
  power_ = UINT64_MAX;
  is_full_ = nullptr;
  has_failed_ = false;
}

std::uint64_t FaultVfs::count(Operation operation) const {
  return counts_[static_cast<int>(operation)];
}

std::uint64_t FaultVfs::count() const {
  std::uint64_t all = 0;
  for (std::uint64_t each : counts_) all += each;
  return all;
}

int FaultVfs::before(Operation operation) {
  errno = EIO;
  const int at = static_cast<int>(operation);
  ++counts_[at];
  const bool dark = power_ == 0;
  if (power_ > 0 && power_ != UINT64_MAX) --power_;
  if (!dark && counts_[at] != fail_at_[at]) return SQLITE_OK;
  has_failed_ = true;
  return code_of(operation);
}

void FaultVfs::apply(std::string& content, const Change& change) {
  const auto offset = static_cast<std::size_t>(change.offset);
  if (change.is_truncation) {
    content.resize(offset);
    return;
  }
  if (content.size() < offset + change.data.size()) content.resize(offset + change.data.size());
  content.replace(offset, change.data.size(), change.data);
}

void FaultVfs::opened(const std::string& path) {
  if (!files_.contains(path)) files_[path].synced = content_of(path);
}

void FaultVfs::wrote(const std::string& path, std::int64_t offset, const void* data,
                     std::size_t size) {
  files_[path].since.push_back({offset, std::string(static_cast<const char*>(data), size), false});
}

void FaultVfs::truncated(const std::string& path, std::int64_t size) {
  files_[path].since.push_back({size, {}, true});
}

void FaultVfs::synced(const std::string& path) {
  Content& content = files_[path];
  for (const Change& change : content.since) apply(content.synced, change);
  content.since.clear();
}

void FaultVfs::deleted(const std::string& path) { files_.erase(path); }

void FaultVfs::restore_power(Unsynced unsynced, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (auto& [path, content] : files_) {
    for (const Change& change : content.since) {
      if (unsynced == Unsynced::kLost) continue;
      if (unsynced == Unsynced::kKept || random() % 2 == 0) apply(content.synced, change);
    }
    content.since.clear();
    std::filesystem::remove(path + "-shm");
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << content.synced;
  }
  heal();
}

}  // namespace docket::store
