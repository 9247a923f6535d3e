// The status of a task whose children do not fit into one piece of an answer.

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "dialects/scylla/scylla.h"
#include "support/harness.h"
#include "support/transcript.h"

namespace docket::scylla {
namespace {

constexpr int kChildren = 2500;

class ManyChildren : public ::testing::Test {
 protected:
  ManyChildren() {
    docket_.operate([&](engine::Operations& operations, Time now) {
      parent_ = create(operations, TaskId{}, now);
      for (int i = 0; i < kChildren; ++i) create(operations, parent_, now);
    });
  }
  static TaskId create(engine::Operations& operations, TaskId parent, Time now) {
    const auto made = operations.create({.module = "test"}, parent, true, now);
    EXPECT_TRUE(made);
    return made ? (*made)->task.id : TaskId{};
  }
  std::shared_ptr<std::optional<http::Response>> send(const std::string& call) {
    const std::string target = "/task_manager/" + call + "/" + model::uuid_of(parent_);
    return docket_.send(http::Site{{"", door_}}, "GET", target, "", {});
  }
  void expect_children(std::optional<http::Response>& response) {
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 200);
    EXPECT_TRUE(response->stream);
    EXPECT_LT(response->body.size(), 64 * 1024);
    testing::join_body(docket_, *response);
    const auto status = testing::parsed_json(response->body);
    EXPECT_EQ(status.at("children_ids").as_array().size(), kChildren);
  }

  testing::Harness docket_;
  TaskId parent_;
  std::shared_ptr<const http::Door> door_ =
      make_scylla_door(docket_.loop(), *docket_.archive, {.status_unregisters = false});
};

TEST_F(ManyChildren, AreStreamed) { expect_children(*send("task_status")); }

TEST_F(ManyChildren, AreStreamedToEveryWaiter) {
  const auto first = send("wait_task");
  const auto second = send("wait_task");
  EXPECT_FALSE(*first);
  docket_.operate([&](engine::Operations& operations, Time now) {
    for (std::uint64_t i = 1; i <= kChildren; ++i) {
      EXPECT_TRUE(operations.finish(TaskId{parent_.value + i}, "failed", now));
    }
    EXPECT_TRUE(operations.finish(parent_, "", now));
  });
  expect_children(*first);
  expect_children(*second);
}

}  // namespace
}  // namespace docket::scylla
