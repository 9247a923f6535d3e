// Records: names, parents, secrets, and what a restart leaves.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "support/harness.h"

namespace docket::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class RecordsTest : public ::testing::Test {
 protected:
  RecordId add(const std::string& family, RecordId parent, const std::string& name,
               const StringPairs& secrets = {}) {
    RecordId id;
    docket.change([&](Engine& engine, Time now) {
      const auto made = engine.create_record({.id = {},
                                              .family = family,
                                              .parent = parent,
                                              .name = name,
                                              .text = "{}",
                                              .created_by = "ann"},
                                             secrets, now);
      ASSERT_TRUE(made) << made.error().message;
      id = (*made)->id;
    });
    return id;
  }
  std::vector<std::string> names(const std::vector<const model::Record*>& records) {
    std::vector<std::string> names;
    for (const model::Record* record : records) names.push_back(record->name);
    return names;
  }
  const Records& records() { return docket.engine().records(); }

  testing::Harness docket;
};

TEST_F(RecordsTest, AreFoundByIdNameParentAndFamilyAlsoAfterARestart) {
  const RecordId cluster = add("cluster", {}, "c1");
  const RecordId one = add("dc", cluster, "dc1");
  add("dc", cluster, "dc2");
  add("node", one, "n1");
  docket.restart();
  EXPECT_EQ(records().find(cluster)->name, "c1");
  EXPECT_EQ(records().find(cluster)->created_by, "ann");
  EXPECT_EQ(records().find(cluster)->modified_by, "ann");
  EXPECT_EQ(records().find("dc", cluster, "dc1")->id, one);
  EXPECT_EQ(records().find("dc", one, "dc1"), nullptr);
  EXPECT_THAT(names(records().below("dc", cluster)), ElementsAre("dc1", "dc2"));
  EXPECT_THAT(names(records().all("node")), ElementsAre("n1"));
  EXPECT_THAT(names(records().all("rack")), IsEmpty());
}

TEST_F(RecordsTest, ANameIsTakenOnceBelowAParent) {
  const RecordId one = add("cluster", {}, "c1");
  const RecordId other = add("cluster", {}, "c2");
  add("dc", one, "dc1");
  add("dc", other, "dc1");
  docket.change([&](Engine& engine, Time now) {
    const model::Record again{.family = "cluster", .name = "c1", .text = "{}"};
    EXPECT_EQ(engine.create_record(again, {}, now).error().kind, ErrorKind::kConflict);
    EXPECT_EQ(engine.update_record(other, again, {}, now).error().kind, ErrorKind::kConflict);
    EXPECT_TRUE(engine.update_record(one, again, {}, now)) << "its own";
  });
  docket.change([&](Engine& engine, Time now) {
    ASSERT_TRUE(engine.update_record(one, {.name = "c3", .text = "{}"}, {}, now));
    EXPECT_EQ(engine.records().find("cluster", {}, "c1"), nullptr) << "free again";
    EXPECT_EQ(engine.records().find(one)->family, "cluster");
  });
  EXPECT_TRUE(add("cluster", {}, "c1"));
}

TEST_F(RecordsTest, GoWithWhatIsAboveThemAndTheirNumbersStayTaken) {
  const RecordId cluster = add("cluster", {}, "c1");
  const RecordId node = add("node", add("dc", cluster, "dc1"), "n1");
  const RecordId other = add("cluster", {}, "c2");
  docket.change([&](Engine& engine, Time) {
    ASSERT_TRUE(engine.delete_record(cluster));
    EXPECT_EQ(engine.delete_record(cluster).error().kind, ErrorKind::kNotFound);
  });
  EXPECT_EQ(records().find(node), nullptr);
  docket.change([&](Engine& engine, Time) { ASSERT_TRUE(engine.delete_record(other)); });
  docket.restart();
  EXPECT_EQ(records().size(), 0U);
  EXPECT_GT(add("cluster", {}, "c1"), other);
}

TEST_F(RecordsTest, SecretsAreSealedReplacedAndRemoved) {
  const RecordId id = add("credential", {}, "root", {{"password", "hunter2"}, {"key", "PEM"}});
  docket.restart();
  const model::Record& stored = *records().find(id);
  for (const auto& [member, sealed] : stored.sealed) EXPECT_THAT(sealed, Not(HasSubstr("hunter")));
  EXPECT_EQ(docket.engine().unseal(stored, "password").value(), "hunter2");
  docket.change([&](Engine& engine, Time now) {
    const model::Record same{.name = "root", .text = "{}", .modified_by = "bob"};
    ASSERT_TRUE(engine.update_record(id, same, {{"password", "new"}, {"key", ""}}, now));
  });
  const model::Record& changed = *records().find(id);
  EXPECT_EQ(docket.engine().unseal(changed, "password").value(), "new");
  EXPECT_EQ(docket.engine().unseal(changed, "key").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(changed.created_by, "ann");
  EXPECT_EQ(changed.modified_by, "bob");
}

TEST_F(RecordsTest, HaveLimits) {
  docket.change([&](Engine& engine, Time now) {
    const model::Record large{
        .id = {}, .family = "f", .name = "n", .text = std::string(Engine::kRecordMax, 'x')};
    EXPECT_EQ(engine.create_record(large, {}, now).error().kind, ErrorKind::kExhausted);
    const model::Record orphan{.family = "f", .parent = RecordId{99}, .name = "n"};
    EXPECT_EQ(engine.create_record(orphan, {}, now).error().kind, ErrorKind::kNotFound);
    EXPECT_EQ(engine.update_record(RecordId{99}, orphan, {}, now).error().kind,
              ErrorKind::kNotFound);
    engine.refuse_new_work("The disk is full");
    const model::Record small{.family = "f", .name = "n", .text = "{}"};
    EXPECT_EQ(engine.create_record(small, {}, now).error().message, "The disk is full");
    engine.refuse_new_work("");
  });
  EXPECT_EQ(records().size(), 0U);
}

}  // namespace
}  // namespace docket::engine
