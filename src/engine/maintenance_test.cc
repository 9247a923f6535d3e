#include "engine/maintenance.h"

#include <gtest/gtest.h>

namespace docket::engine {
namespace {

std::string complaint(const ChoreOrder& order) {
  const auto checked = check(order);
  return checked ? "" : checked.error().message;
}

TEST(Chores, AreNamedBothWays) {
  for (int at = 0; at < kChoreCount; ++at) {
    const auto chore = static_cast<Chore>(at);
    EXPECT_EQ(chore_of(name_of(chore)), chore);
    EXPECT_STRNE(units_of(chore), "");
  }
  EXPECT_FALSE(chore_of("Backup"));
  EXPECT_FALSE(chore_of(""));
}

TEST(ChoreOrders, FilesAreNamesAndNothingElse) {
  for (const char* good : {"", "a", "2024-01-15.db", "Nightly_1"}) {
    EXPECT_EQ(complaint({.chore = Chore::kBackup, .file = good}), "") << good;
  }
  const std::string too_long(129, 'x');
  for (const char* bad : {"/etc/passwd", "../docket.db", "a/b", "..", ".", ".hidden", "a b", "a\n",
                          "x.partial", too_long.c_str()}) {
    EXPECT_NE(complaint({.chore = Chore::kExport, .file = bad}), "") << bad;
  }
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .file = "a"}),
            "file is for backup and export only");
}

TEST(ChoreOrders, FamiliesAreKnown) {
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .families = {"task", "event"}}), "");
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .families = {"task", "sqlite_schema"}}),
            "families has no 'sqlite_schema'");
}

}  // namespace
}  // namespace docket::engine
