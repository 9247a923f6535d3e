#pragma once

// What the conformance suite needs to know about a store: how to open it, again and again. A new
// store joins the suite with one factory in stores.cc.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "engine/store.h"

namespace docket::conformance {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  // The first call makes an empty store; each later one finds what was committed before. The
  // previous store is gone.
  virtual std::unique_ptr<engine::Store> open() = 0;
  // A copy made by backup(), opened; null for a store that has no backup.
  virtual std::unique_ptr<engine::Store> open_backup() { return nullptr; }
  virtual std::string backup_file() const { return {}; }
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

// One store, opened; reopen() closes it and opens it anew.
class StoreConformance : public testing::TestWithParam<StoreFactory> {
 protected:
  void SetUp() override;
  void reopen();
  void commit(const engine::Batch& batch);  // and expects success
  engine::Snapshot load();
  engine::Reader& reader() { return *reader_; }

  std::unique_ptr<StoreUnderTest> world_;
  std::unique_ptr<engine::Store> store_;
  std::unique_ptr<engine::Reader> reader_;
};

}  // namespace docket::conformance
