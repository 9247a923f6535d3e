#include "cli/client/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace docket::cli {
namespace {

class Tables : public testing::Test {
 protected:
  std::string print(bool tty, unsigned columns = 0, bool colours = false) const {
    std::istringstream in;
    std::ostringstream out;
    table_.print(
        {.in = in, .out = out, .err = out, .columns = columns, .is_tty = tty, .colours = colours});
    return out.str();
  }
  Table table_{{"ID", "STATE", "WHY"}};
};

TEST_F(Tables, ForScriptsHaveWholeCellsAndTrailingSpaces) {
  table_.add({"a", "failed", "x\ty\n"});
  EXPECT_EQ(print(false),
            "ID  STATE   WHY   \n"
            "a   failed  x y   \n");
}

TEST_F(Tables, FitATerminalAndCutTheWidestColumns) {
  table_.add({"short", "failed", std::string(100, 'x')});
  table_.add({std::string(50, 'j'), "done", "b"});
  std::istringstream lines(print(true));
  for (std::string line; std::getline(lines, line);) {
    std::size_t width = 0;
    for (const char c : line) width += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    EXPECT_LE(width, 80U) << line;
    EXPECT_FALSE(line.ends_with(' '));
  }
  EXPECT_NE(print(true).find("failed"), std::string::npos);
  EXPECT_NE(print(true).find("\u2026"), std::string::npos);
  EXPECT_EQ(print(true, 400).find("\u2026"), std::string::npos) << "there is room";
  EXPECT_EQ(print(false, 40).find("\u2026"), std::string::npos) << "scripts get all of it";
}

TEST_F(Tables, NeverCutTheirHeaders) {
  table_.add({"aaaa", "failed", "why"});
  EXPECT_EQ(print(true, 5).substr(0, 14), "ID  STATE  WHY");
}

TEST_F(Tables, HaveColoursOnlyWhereTheyAreAllowed) {
  table_.add({"a", "failed", ""});
  EXPECT_NE(print(true, 80, true).find("\x1b[31mfailed"), std::string::npos);
  EXPECT_EQ(print(true, 80, false).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace docket::cli
