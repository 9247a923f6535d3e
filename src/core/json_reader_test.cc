#include "core/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "core/json.h"

namespace docket {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class JsonReaderTest : public ::testing::Test {
 protected:
  // visit(reader); the complaints, as "pointer flaw detail".
  template <class Visit>
  std::vector<std::string> complaints(const std::string& text, Visit visit) {
    const auto value = parse_json(text);
    JsonComplaints found{.unknown = unknown};
    JsonReader in(*value, found);
    visit(in);
    std::vector<std::string> out;
    for (const JsonComplaint& each : found.list) {
      out.push_back(each.path.pointer() + " " + std::to_string(static_cast<int>(each.flaw)) +
                    (each.detail.empty() ? "" : " " + each.detail));
    }
    return out;
  }
  static std::string said(const std::string& path, JsonFlaw flaw, const std::string& detail = {}) {
    return path + " " + std::to_string(static_cast<int>(flaw)) +
           (detail.empty() ? "" : " " + detail);
  }
  UnknownMembers unknown = UnknownMembers::kRefused;
};

TEST_F(JsonReaderTest, ReadsWhatIsThereAndRight) {
  std::string text;
  bool flag = false;
  double number = 0;
  std::int64_t whole = 0;
  std::int64_t cut = 0;
  std::optional<std::string> maybe;
  std::vector<std::string> list;
  std::vector<std::pair<std::string, std::string>> map;
  EXPECT_THAT(complaints(R"({"a":"x","b":true,"c":1.5,"d":7,"e":2.9,"f":"y","g":["p","q"],)"
                         R"("h":{"k":"v"}})",
                         [&](JsonReader& in) {
                           EXPECT_TRUE(in.read("a", text) && in.read("b", flag) &&
                                       in.read("c", number) && in.read("d", whole, 1, 7) &&
                                       in.read("e", cut) && in.read("f", maybe) &&
                                       in.read("g", list) && in.read("h", map));
                           in.finish();
                         }),
              IsEmpty());
  EXPECT_EQ(text, "x");
  EXPECT_TRUE(flag);
  EXPECT_EQ(number, 1.5);
  EXPECT_EQ(whole, 7);
  EXPECT_EQ(cut, 2);
  EXPECT_EQ(maybe, "y");
  EXPECT_THAT(list, ElementsAre("p", "q"));
  EXPECT_THAT(map, ElementsAre(std::pair("k", "v")));
}

TEST_F(JsonReaderTest, SaysWhatIsWrongAndLeavesTheRest) {
  std::string text = "kept";
  bool flag = true;
  double number = 1;
  std::int64_t whole = 1;
  std::optional<double> amount;
  std::vector<std::string> list;
  const auto found = complaints(
      R"({"a":1,"b":"x","c":"x","d":1.5,"e":1e16,"f":-1,"g":[1],"h":null})", [&](JsonReader& in) {
        EXPECT_FALSE(in.read("a", text) || in.read("b", flag) || in.read("c", number) ||
                     in.read("d", whole, 0, 9) || in.read("e", whole) ||
                     in.read_amount("f", amount) || in.read("h", text));
        in.read("g", list);
        in.require("h");
        in.finish();
      });
  EXPECT_THAT(
      found,
      ElementsAre(said("/a", JsonFlaw::kNotString), said("/b", JsonFlaw::kNotBool),
                  said("/c", JsonFlaw::kNotNumber), said("/d", JsonFlaw::kNotWhole, "from 0 to 9"),
                  said("/e", JsonFlaw::kNotWhole), said("/f", JsonFlaw::kNotNumber, "from 0"),
                  said("/g/0", JsonFlaw::kNotString), said("/h", JsonFlaw::kMissing)));
  EXPECT_EQ(text, "kept");
  EXPECT_TRUE(flag);
  EXPECT_EQ(whole, 1);
}

TEST_F(JsonReaderTest, PlacesReachIntoArraysAndObjects) {
  constexpr std::array kWords{"red", "green"};
  const auto walk = [&](JsonReader& in) {
    in.each("list", [&](JsonReader& item) {
      JsonReader inner = item.inside("in");
      EXPECT_EQ(inner.choice("colour", kWords), 0U);
      EXPECT_EQ(inner.path().parenthesised().substr(0, 6), "/list(");
      inner.finish();
      item.finish();
    });
    in.each_member("map", [&](const std::string& key, const auto& value, const auto& open) {
      if (value.is_string()) return;
      open().complain("x", key + " is odd");
    });
    in.finish();
  };
  EXPECT_THAT(
      complaints(
          R"({"list":[{"in":{"colour":"blue","odd":1}},7],"map":{"s":"","o":{},"n":1},"z":0})",
          walk),
      ElementsAre(
          said("/list/0/in/colour", JsonFlaw::kUnknownWord, "red, green"),
          said("/list/0/in/odd", JsonFlaw::kUnknownMember), said("/list/1", JsonFlaw::kNotObject),
          said("/map/o/x", JsonFlaw::kOther, "o is odd"), said("/map/n", JsonFlaw::kNotObject),
          said("/map/n/x", JsonFlaw::kOther, "n is odd"), said("/z", JsonFlaw::kUnknownMember)));
}

TEST_F(JsonReaderTest, UnknownMembersMayBeIgnored) {
  unknown = UnknownMembers::kIgnored;
  EXPECT_THAT(complaints(R"({"a":1})", [](JsonReader& in) { in.finish(); }), IsEmpty());
}

TEST_F(JsonReaderTest, OnlyAnObjectHasMembers) {
  EXPECT_THAT(complaints("[]",
                         [](JsonReader& in) {
                           EXPECT_FALSE(in.is_object());
                           in.require("a");
                           in.finish();
                         }),
              ElementsAre(said("", JsonFlaw::kNotObject)));
}

TEST(JsonPath, IsWrittenTwoWays) {
  const JsonPath path = JsonPath() / "run" / "artifacts" / 2 / "uri";
  EXPECT_EQ(path.pointer(), "/run/artifacts/2/uri");
  EXPECT_EQ(path.parenthesised(), "/run/artifacts(2)/uri");
  EXPECT_EQ(JsonPath().pointer(), "");
}

}  // namespace
}  // namespace docket
