// The stores that the suite runs over.

#include <filesystem>

#include "conformance/store_under_test.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/sqlite_store.h"

namespace docket::conformance {
namespace {

class MemoryWorld : public StoreUnderTest {
 public:
  std::unique_ptr<engine::Store> open() override {
    return std::make_unique<store::MemoryStore>(disk_);
  }

 private:
  std::shared_ptr<store::MemoryDisk> disk_ = std::make_shared<store::MemoryDisk>();
};

class SqliteWorld : public StoreUnderTest {
 public:
  SqliteWorld() {
    std::string pattern = testing::TempDir() + "docket-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~SqliteWorld() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<engine::Store> open() override { return open_in(directory_ + "/data"); }
  std::string backup_file() const override { return directory_ + "/copy/docket.db"; }
  std::unique_ptr<engine::Store> open_backup() override { return open_in(directory_ + "/copy"); }

 private:
  static std::unique_ptr<engine::Store> open_in(const std::string& directory) {
    auto store = store::SqliteStore::open({.directory = directory});
    EXPECT_TRUE(store) << (store ? "" : store.error().message);
    return store ? std::move(*store) : nullptr;
  }
  std::string directory_;
};

template <class World>
StoreFactory factory(const std::string& name) {
  return {name, [] { return std::make_unique<World>(); }};
}

INSTANTIATE_TEST_SUITE_P(Store, StoreConformance,
                         testing::Values(factory<MemoryWorld>("Memory"),
                                         factory<SqliteWorld>("Sqlite")),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace docket::conformance
