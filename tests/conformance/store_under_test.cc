#include "conformance/store_under_test.h"

namespace docket::conformance {

void StoreConformance::SetUp() {
  world_ = GetParam().make();
  reopen();
}

void StoreConformance::reopen() {
  reader_.reset();
  store_.reset();
  store_ = world_->open();
  ASSERT_TRUE(store_);
  auto reader = store_->open_reader();
  ASSERT_TRUE(reader) << reader.error().message;
  reader_ = std::move(*reader);
}

void StoreConformance::commit(const engine::Batch& batch) {
  const Result<> committed = store_->commit(batch);
  ASSERT_TRUE(committed) << committed.error().message;
}

engine::Snapshot StoreConformance::load() {
  Result<engine::Snapshot> snapshot = store_->load();
  EXPECT_TRUE(snapshot) << (snapshot ? "" : snapshot.error().message);
  return snapshot ? std::move(*snapshot) : engine::Snapshot{};
}

}  // namespace docket::conformance
