#include "kinds/rollout/topology.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/record_id.h"

namespace docket::kinds {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Topology : public ::testing::Test {
 protected:
  RecordId add(const char* family, RecordId parent, const std::string& name,
               const std::string& text = "{}") {
    const model::Record record{
        .id = records.new_id(), .family = family, .parent = parent, .name = name, .text = text};
    EXPECT_TRUE(records.put(record, batch));
    return record.id;
  }
  RecordId node(RecordId datacenter, const std::string& name, const std::string& rack,
                const std::string& more = "") {
    return add(kNodeFamily, datacenter, name,
               fmt::format(R"({{"ssh-management-address":"10.0.0.1","rack":"{}"{}}})", rack, more));
  }
  Rollout rollout(RecordId scope) { return rollout_of(records, scope).value(); }
  std::string names(RecordId scope) {
    std::string names;
    for (const RolloutNode& each : rollout(scope).nodes) {
      names += fmt::format("{}{}{}", names.empty() ? "" : " ", each.name, each.seed ? "*" : "");
    }
    return names;
  }

  engine::Records records;
  engine::Batch batch;
  RecordId cluster = add(kClusterFamily, {}, "c1");
  RecordId dc1 = add(kDatacenterFamily, cluster, "dc1");
  RecordId dc2 = add(kDatacenterFamily, cluster, "dc2");
};

TEST_F(Topology, TheScopeSaysWhichNodes) {
  node(dc2, "x", "r1");
  const RecordId b = node(dc1, "b", "r1");
  node(dc1, "a", "r2");
  const RecordId other = add(kClusterFamily, {}, "c2");
  node(add(kDatacenterFamily, other, "dc1"), "y", "r1");
  EXPECT_EQ(names(cluster), "b* a* x*");
  EXPECT_EQ(names(dc1), "b* a*");
  EXPECT_EQ(names(b), "b*");
  EXPECT_EQ(rollout(b).cluster, cluster);
  EXPECT_EQ(rollout(b).cluster_name, "c1");
  EXPECT_FALSE(rollout_of(records, RecordId{999}));
  EXPECT_FALSE(rollout_of(records, add(kProfileFamily, {}, "p")));
  EXPECT_THAT(rollout(add(kClusterFamily, {}, "c3")).nodes, IsEmpty());
}

TEST_F(Topology, SeedsAreThoseThatSaySoOrTheFirstTwo) {
  node(dc1, "c", "r1");
  node(dc1, "b", "r1", R"(,"seed":false)");
  node(dc1, "a", "r1");
  node(dc1, "d", "r1");
  node(dc2, "x", "r1");
  node(dc2, "z", "r1", R"(,"seed":true)");
  EXPECT_EQ(names(cluster), "a* c* z* b d x") << "seeds come first, then names";
}

TEST_F(Topology, WhatANodeDoesNotSayComesFromAbove) {
  const RecordId p1 = add(kProfileFamily, {}, "p1");
  const RecordId p2 = add(kProfileFamily, {}, "p2");
  const RecordId m1 = add(kCredentialFamily, {}, "m1");
  const RecordId m2 = add(kCredentialFamily, {}, "m2");
  const auto reference = [](const char* member, RecordId id) {
    return fmt::format(R"("{}":"{}")", member, model::uuid_of(id));
  };
  const RecordId other =
      add(kClusterFamily, {}, "c2",
          fmt::format(R"({{{},{},"ssh-management-port":2222}})", reference("config-profile-id", p1),
                      reference("machine-credential-id", m1)));
  const RecordId datacenter = add(kDatacenterFamily, other, "dc1",
                                  fmt::format("{{{}}}", reference("config-profile-id", p2)));
  node(datacenter, "a", "r1", R"(,"ssh-management-port":22)");
  node(datacenter, "b", "r1", "," + reference("machine-credential-id", m2));
  const Rollout both = rollout(other);
  EXPECT_EQ(both.nodes[0].port, 22);
  EXPECT_EQ(both.nodes[0].credential, m1);
  EXPECT_THAT(both.nodes[0].profiles, ElementsAre(p1, p2));
  EXPECT_EQ(both.nodes[1].port, 2222);
  EXPECT_EQ(both.nodes[1].credential, m2);
  EXPECT_EQ(rollout(cluster).nodes.size(), 0U);
}

TEST_F(Topology, RacksOfTheSameNameInTwoDatacentersAreTwo) {
  node(dc1, "a", "r1");
  node(dc1, "b", "r2");
  node(dc2, "c", "r1", R"(,"converged":true)");
  const Rollout all = rollout(cluster);
  EXPECT_TRUE(all.has_converged_nodes);
  const auto nodes = sequence_nodes(all);
  EXPECT_EQ(nodes[0].place.datacenter, nodes[1].place.datacenter);
  EXPECT_NE(nodes[0].place.rack, nodes[1].place.rack);
  EXPECT_NE(nodes[0].place.rack, nodes[2].place.rack);
  EXPECT_TRUE(nodes[0].joins);
  EXPECT_FALSE(nodes[2].joins);
}

}  // namespace
}  // namespace docket::kinds
