#include "model/record_id.h"

#include <gtest/gtest.h>

#include "model/task.h"

namespace docket::model {
namespace {

TEST(RecordId, IsAUuidAndBack) {
  EXPECT_EQ(uuid_of(RecordId{1}), "d0c4e700-0000-8001-8000-000000000001");
  for (const std::uint64_t value : {1ULL, 0xfedcba9876ULL, (1ULL << 62U) + 5}) {
    EXPECT_EQ(record_of_uuid(uuid_of(RecordId{value})), RecordId{value});
  }
}

TEST(RecordId, IsNoTasksAndNoOthers) {
  EXPECT_FALSE(record_of_uuid(uuid_of(TaskId{1})));
  EXPECT_FALSE(task_of_uuid(uuid_of(RecordId{1})));
  for (const char* text : {"", "x", "d0c4e700-0000-8001-8000-00000000000", "Unknown",
                           "7064583a-0656-4914-819e-937863793ab5"}) {
    EXPECT_FALSE(record_of_uuid(text)) << text;
  }
}

}  // namespace
}  // namespace docket::model
