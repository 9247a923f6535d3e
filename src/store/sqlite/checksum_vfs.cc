#include "store/sqlite/checksum_vfs.h"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace docket::store {
namespace {

constexpr std::size_t kWords = (kPageBytes - kReservedBytes) / sizeof(std::uint64_t);

// Each step is a bijection of the sum so far for a given word and of the word for a given sum, so a
// change of any one word changes the result. Four lanes, because one multiplication waits for the
// one before. A page of zeroes has sum zero: SQLite may leave free pages unwritten.
std::uint64_t checksum_of(const unsigned char* page) {
  constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15;
  std::array<std::uint64_t, 4> lanes{};
  for (std::size_t word = 0; word < kWords; ++word) {
    std::uint64_t value;
    std::memcpy(&value, page + word * sizeof value, sizeof value);
    std::uint64_t& lane = lanes[word % lanes.size()];
    lane = (lane ^ value) * kPrime;
  }
  std::uint64_t sum = 0;
  for (std::uint64_t lane : lanes) sum = (sum ^ lane) * kPrime;
  return sum;
}

bool is_page(int amount, sqlite3_int64 offset) {
  return amount == kPageBytes && offset % kPageBytes == 0;
}

// A database file; the real one follows it in memory.
struct PageFile {
  sqlite3_file base;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<PageFile*>(file)->real(); }
const sqlite3_io_methods& methods(sqlite3_file* file) { return *real(file)->pMethods; }

int read_page(sqlite3_file* file, void* buffer, int amount, sqlite3_int64 offset) {
  const int code = methods(file).xRead(real(file), buffer, amount, offset);
  if (code != SQLITE_OK || !is_page(amount, offset)) return code;
  const auto* page = static_cast<const unsigned char*>(buffer);
  std::uint64_t stored;
  std::memcpy(&stored, page + kWords * sizeof stored, sizeof stored);
  return stored == checksum_of(page) ? SQLITE_OK : SQLITE_IOERR_DATA;
}

int write_page(sqlite3_file* file, const void* buffer, int amount, sqlite3_int64 offset) {
  if (!is_page(amount, offset)) return methods(file).xWrite(real(file), buffer, amount, offset);
  std::array<unsigned char, kPageBytes> page;
  std::memcpy(page.data(), buffer, page.size());
  const std::uint64_t sum = checksum_of(page.data());
  std::memcpy(page.data() + kWords * sizeof sum, &sum, sizeof sum);
  return methods(file).xWrite(real(file), page.data(), amount, offset);
}

// Pages handed out by memory mapping would not be compared.
int fetch_nothing(sqlite3_file*, sqlite3_int64, int, void** page) {
  *page = nullptr;
  return SQLITE_OK;
}
int unfetch_nothing(sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; }

sqlite3_io_methods page_methods() {
  sqlite3_io_methods all{};
  all.iVersion = 3;
  all.xClose = [](sqlite3_file* f) { return methods(f).xClose(real(f)); };
  all.xRead = read_page;
  all.xWrite = write_page;
  all.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) { return methods(f).xTruncate(real(f), n); };
  all.xSync = [](sqlite3_file* f, int flags) { return methods(f).xSync(real(f), flags); };
  all.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) {
    return methods(f).xFileSize(real(f), n);
  };
  all.xLock = [](sqlite3_file* f, int level) { return methods(f).xLock(real(f), level); };
  all.xUnlock = [](sqlite3_file* f, int level) { return methods(f).xUnlock(real(f), level); };
  all.xCheckReservedLock = [](sqlite3_file* f, int* held) {
    return methods(f).xCheckReservedLock(real(f), held);
  };
  all.xFileControl = [](sqlite3_file* f, int what, void* argument) {
    return methods(f).xFileControl(real(f), what, argument);
  };
  all.xSectorSize = [](sqlite3_file* f) { return methods(f).xSectorSize(real(f)); };
  all.xDeviceCharacteristics = [](sqlite3_file* f) {
    return methods(f).xDeviceCharacteristics(real(f));
  };
  all.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** at) {
    return methods(f).xShmMap(real(f), region, size, extend, at);
  };
  all.xShmLock = [](sqlite3_file* f, int first, int count, int flags) {
    return methods(f).xShmLock(real(f), first, count, flags);
  };
  all.xShmBarrier = [](sqlite3_file* f) { methods(f).xShmBarrier(real(f)); };
  all.xShmUnmap = [](sqlite3_file* f, int remove) { return methods(f).xShmUnmap(real(f), remove); };
  all.xFetch = fetch_nothing;
  all.xUnfetch = unfetch_nothing;
  return all;
}

sqlite3_vfs* base_of(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* base = base_of(vfs);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return base->xOpen(base, name, file, flags, out_flags);
  static const sqlite3_io_methods kMethods = page_methods();
  file->pMethods = nullptr;
  const int code = base->xOpen(base, name, real(file), flags, out_flags);
  if (code == SQLITE_OK) file->pMethods = &kMethods;
  return code;
}

int file_bytes(const sqlite3_vfs* base) {
  return static_cast<int>(sizeof(PageFile)) + base->szOsFile;
}

// All functions but xOpen are the base's, and are called with the base, which some of them look
// into.
sqlite3_vfs vfs_over(sqlite3_vfs* base, const char* name) {
  sqlite3_vfs vfs = *base;
  vfs.pNext = nullptr;
  vfs.zName = name;
  vfs.pAppData = base;
  vfs.szOsFile = file_bytes(base);
  vfs.xOpen = open_file;
  vfs.xDelete = [](sqlite3_vfs* v, const char* file, int sync) {
    return base_of(v)->xDelete(base_of(v), file, sync);
  };
  vfs.xAccess = [](sqlite3_vfs* v, const char* file, int flags, int* out) {
    return base_of(v)->xAccess(base_of(v), file, flags, out);
  };
  vfs.xFullPathname = [](sqlite3_vfs* v, const char* file, int size, char* out) {
    return base_of(v)->xFullPathname(base_of(v), file, size, out);
  };
  vfs.xRandomness = [](sqlite3_vfs* v, int size, char* out) {
    return base_of(v)->xRandomness(base_of(v), size, out);
  };
  vfs.xSleep = [](sqlite3_vfs* v, int micros) { return base_of(v)->xSleep(base_of(v), micros); };
  vfs.xGetLastError = [](sqlite3_vfs* v, int size, char* out) {
    return base_of(v)->xGetLastError(base_of(v), size, out);
  };
  vfs.xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* out) {
    return base_of(v)->xCurrentTimeInt64(base_of(v), out);
  };
  return vfs;
}

struct Registered {
  std::string name;
  sqlite3_vfs vfs;
};

}  // namespace

std::string checksum_vfs(const std::string& base) {
  // SQLite keeps a list of file systems for the whole program, so this list must be one too.
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Registered>> all;
  const std::lock_guard guard(mutex);
  sqlite3_vfs* found = sqlite3_vfs_find(base.empty() ? nullptr : base.c_str());
  if (!found) return {};
  std::unique_ptr<Registered>& entry = all[base];
  if (entry) {  // the base may have been registered anew, as tests do
    entry->vfs.pAppData = found;
    entry->vfs.szOsFile = file_bytes(found);
    return entry->name;
  }
  entry = std::make_unique<Registered>(Registered{"docket-checksum-" + base, {}});
  entry->vfs = vfs_over(found, entry->name.c_str());
  if (sqlite3_vfs_register(&entry->vfs, 0) != SQLITE_OK) return {};
  return entry->name;
}

}  // namespace docket::store
