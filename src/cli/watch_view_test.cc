#include "cli/watch_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::Le;

boost::json::array trees(const std::string& text) { return parse_json(text)->as_array(); }

constexpr const char* kBackup =
    R"([{"id":"2","kind":"operation","state":"running","stopping":false,
         "progress":{"completed":1500000000,"total":4500000000,"units":"bytes"},
         "operation":{"type":"backup","entity":"db1","childrenEnded":3,"childrenFailed":1},
         "children":[
           {"id":"3","kind":"operation","state":"running","stopping":true,
            "progress":{"completed":1,"total":2,"units":null},
            "operation":{"type":"table","keyspace":"k","table":"\u8868\u30c6","childrenEnded":0},
            "children":[{"id":"5","kind":"operation","state":"failed","stopping":false,
                         "progress":{"completed":0,"total":1,"units":null},
                         "operation":{"module":"backups"},"children":[]}]},
           {"id":"4","kind":"operation","state":"created","stopping":false,
            "progress":{"completed":0,"total":0,"units":null},
            "operation":{"type":"a\tname that is \u001b[2Jtoo long for this terminal"}}]}])";

TEST(WatchView, FitsIntoEightyColumns) {
  EXPECT_THAT(
      view_lines(trees(kBackup), {}),
      ElementsAre("2 backup db1               running  [#####-----------]  33% 1.5G/4.5G bytes",
                  "  3 table k.\u8868\u30c6           stopping [########--------]  50% 1/2",
                  "    5 backups              failed   [----------------]   0% 0/1",
                  "  4 a name that is  [2Jto\u2026 created  [----------------]   0% 0/0",
                  "3 live, 4 ended, 2 failed"));
}

TEST(WatchView, IsNeverWiderOrHigherThanTheTerminal) {
  for (std::size_t columns = 20; columns <= 200; ++columns) {
    for (const std::string& line : view_lines(trees(kBackup), {.columns = columns})) {
      EXPECT_THAT(display_width(line), Le(columns - 1)) << line;
    }
  }
  for (std::size_t rows = 3; rows <= 8; ++rows) {
    EXPECT_THAT(view_lines(trees(kBackup), {.rows = rows}).size(), Le(rows - 1));
  }
}

TEST(WatchView, TasksNearTheRootsGetALineFirst) {
  const auto lines = view_lines(trees(kBackup), {.rows = 5});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_THAT(lines[1], testing::StartsWith("  3"));
  EXPECT_THAT(lines[2], testing::StartsWith("  4"));
  EXPECT_EQ(lines[3], "3 live, 4 ended, 2 failed; 1 more");
}

TEST(WatchView, HasColoursOnlyIfAllowed) {
  const auto plain = view_lines(trees(kBackup), {});
  const auto coloured = view_lines(trees(kBackup), {.colours = true});
  EXPECT_EQ(plain[0].find('\x1b'), std::string::npos);
  EXPECT_NE(coloured[0].find("\x1b[36mrunning"), std::string::npos);
}

TEST(WatchView, Runs) {
  EXPECT_THAT(view_lines(trees(R"([{"id":"7","kind":"run","job":"a","name":"20190307204634kC8Rs",
                                    "state":"done","progress":{"completed":1,"total":1}}])"),
                         {.columns = 120})[0],
              testing::StartsWith("7 run a 20190307204634kC8Rs "));
}

TEST(WatchView, NumbersAreShort) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(0.25), "0.2");
  EXPECT_EQ(short_number(99999), "99999");
  EXPECT_EQ(short_number(1234567), "1.2M");
  EXPECT_EQ(short_number(9.9e17), "990.0P");
}

}  // namespace
}  // namespace docket::cli
