#include "model/secret_path.h"

#include <gtest/gtest.h>

namespace docket::model {
namespace {

TEST(SecretPath, LeadingSlashesDoNotMatter) {
  EXPECT_EQ(secret_place("/db"), "db");
  EXPECT_EQ(secret_place("//finance/db"), "finance/db");
  EXPECT_EQ(secret_place("/"), "");
  EXPECT_EQ(secret_group("/finance/year/db"), "finance/year");
  EXPECT_EQ(secret_group("/db"), "");
}

TEST(SecretPath, AJobMayUseItsOwnPathAndThoseAboveIt) {
  EXPECT_TRUE(may_use_secret("marketing.mailer", "db"));
  EXPECT_TRUE(may_use_secret("marketing.mailer", "/marketing/db"));
  EXPECT_TRUE(may_use_secret("marketing.mailer", "marketing/mailer/db"));
  EXPECT_TRUE(may_use_secret("marketing.mailer.nightly", "marketing/mailer/db"));
  EXPECT_FALSE(may_use_secret("marketing.mailer", "finance/db"));
  EXPECT_FALSE(may_use_secret("marketing", "marketing/mailer/db"));
  EXPECT_FALSE(may_use_secret("marketing.mail", "marketing/mailer/db"));
  EXPECT_FALSE(may_use_secret("marketing.mailer", "mailer/db"));
}

TEST(SecretPath, AMalformedGroupBelongsToNobody) {
  for (const char* path : {"finance//db", "marketing.mailer/db", "../db", "marketing/../db",
                           "Marketing/db", "marketing/ /db"}) {
    EXPECT_FALSE(may_use_secret("marketing.mailer", path)) << path;
  }
}

}  // namespace
}  // namespace docket::model
