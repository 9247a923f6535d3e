#include "kinds/maintenance/spec.h"

#include <gtest/gtest.h>

#include "core/json.h"
#include "core/json_reader.h"
#include "kinds/maintenance/maintenance_kind.h"

namespace docket::kinds {
namespace {

using care::CareWork;
using care::Chore;

std::string complaint(const CareWork& work) {
  model::Flaws flaws;
  check(work, flaws);
  const auto fields = flaws.take();
  return fields.empty() ? "" : fields.front().path + " " + fields.front().errors.front();
}

TEST(Chores, AreNamedBothWays) {
  for (std::size_t at = 0; at < care::kChores.size(); ++at) {
    const auto chore = static_cast<Chore>(at);
    EXPECT_EQ(care::chore_of(care::name_of(chore)), chore);
    EXPECT_STRNE(care::units_of(chore), "");
  }
  EXPECT_FALSE(care::chore_of("Backup"));
  EXPECT_FALSE(care::chore_of(""));
}

TEST(MaintenanceSpec, FilesAreNamesAndNothingElse) {
  for (const char* good : {"", "a", "2024-01-15.db", "Nightly_1"}) {
    EXPECT_EQ(complaint({.chore = Chore::kBackup, .file = good}), "") << good;
  }
  const std::string too_long(129, 'x');
  for (const char* bad : {"/etc/passwd", "../docket.db", "a/b", "..", ".", ".hidden", "a b", "a\n",
                          "x.partial", too_long.c_str()}) {
    EXPECT_NE(complaint({.chore = Chore::kExport, .file = bad}), "") << bad;
  }
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .file = "a"}),
            "/file is for backup and export only");
}

TEST(MaintenanceSpec, FamiliesAreKnown) {
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .families = {"task", "event"}}), "");
  EXPECT_EQ(complaint({.chore = Chore::kVerify, .families = {"task", "sqlite_schema"}}),
            "/families has no 'sqlite_schema'");
}

TEST(MaintenanceSpec, IsReadAsItWasWritten) {
  for (const CareWork& work : {CareWork{.chore = Chore::kBackup, .file = "a.db"},
                               CareWork{.chore = Chore::kVerify, .families = {"job", "task"}},
                               CareWork{.chore = Chore::kVacuum}}) {
    const auto text = parse_json(spec_of(MaintenanceSpec{work}).text());
    JsonComplaints complaints;
    JsonReader in(*text, complaints);
    EXPECT_EQ(read_maintenance_spec(in).work, work);
    EXPECT_TRUE(complaints.list.empty());
  }
}

TEST(MaintenanceSpec, AnUnknownChoreIsAFlaw) {
  JsonComplaints complaints;
  const auto text = parse_json(R"({"chore":"reboot","dir":"/"})");
  JsonReader in(*text, complaints);
  read_maintenance_spec(in);
  EXPECT_EQ(complaints.list.size(), 2U);
}

TEST(MaintenanceKind, HasNoJobs) {
  model::JobDefinition job{.id = "nightly", .spec = spec_of({{.chore = Chore::kBackup}})};
  model::Flaws flaws;
  MaintenanceKind().check(job, flaws);
  const auto fields = flaws.take();
  ASSERT_EQ(fields.size(), 1U);
  EXPECT_EQ(fields.front().path, "/kind");
}

}  // namespace
}  // namespace docket::kinds
