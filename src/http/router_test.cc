#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace docket::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void nothing(Request, const Reply&) {}

std::shared_ptr<Door> door(std::vector<std::pair<std::string, std::string>> routes) {
  auto made = std::make_shared<Door>();
  for (auto& [method, pattern] : routes) {
    made->routes.push_back({.method = method, .pattern = pattern, .handler = nothing});
  }
  return made;
}

Router compile(Site site) {
  auto router = Router::compile(std::move(site));
  EXPECT_TRUE(router) << (router ? "" : router.error().message);
  return *std::move(router);
}

std::string pattern_of(const Match& match) { return match.route ? match.route->pattern : ""; }

TEST(Router, LiteralBeatsCaptureBeatsRest) {
  const auto router = compile({{"", door({{"GET", "/{rest...}"},
                                          {"GET", "/jobs/{job}"},
                                          {"GET", "/jobs/all"},
                                          {"GET", "/jobs/{job}/runs"},
                                          {"GET", "/"}})}});
  EXPECT_EQ(pattern_of(router.match("GET", "/jobs/all")), "/jobs/all");
  EXPECT_EQ(pattern_of(router.match("GET", "/jobs/a")), "/jobs/{job}");
  EXPECT_EQ(pattern_of(router.match("GET", "/jobs/all/runs")), "/jobs/{job}/runs");
  EXPECT_EQ(pattern_of(router.match("GET", "/jobs/all/x")), "/{rest...}");
  EXPECT_EQ(pattern_of(router.match("GET", "/")), "/");
}

TEST(Router, CapturesAreDecodedInOrder) {
  const auto router = compile({{"", door({{"GET", "/{a}/x/{b}"}, {"GET", "/files/{rest...}"}})}});
  EXPECT_THAT(router.match("GET", "/p%2Fq/x/%C3%A9+").params, ElementsAre("p/q", "\xc3\xa9+"));
  EXPECT_THAT(router.match("GET", "/files/a/b%20c").params, ElementsAre("a/b c"));
  EXPECT_THAT(router.match("GET", "/files/").params, ElementsAre(""));
  EXPECT_EQ(router.match("GET", "/f%69les/a").status,
            200);  // an escaped literal is the same literal
}

TEST(Router, RestNeverLeavesItsDirectory) {
  const auto router = compile({{"", door({{"GET", "/files/{rest...}"}})}});
  for (const char* path : {"/files/../x", "/files/a/%2e%2e/x", "/files/a%2F..", "/files/."}) {
    EXPECT_EQ(router.match("GET", path).status, 404) << path;
  }
  EXPECT_EQ(router.match("GET", "/files/..a").status, 200);
}

TEST(Router, SlashesCollapseWhereTheDoorSaysSo) {
  const auto lenient = compile({{"/m", door({{"GET", "/v1/jobs/{job}"}})}});
  const auto match = lenient.match("GET", "//m//v1/jobs//a/");
  EXPECT_EQ(match.status, 200);
  EXPECT_EQ(match.path, "/v1/jobs/a");
  EXPECT_THAT(match.params, ElementsAre("a"));
  auto exact = door({{"GET", "/v1/jobs/{job}"}, {"GET", "/"}, {"GET", "/tail/"}});
  exact->collapse_slashes = false;
  const auto strict = compile({{"", exact}});
  EXPECT_EQ(strict.match("GET", "/v1/jobs/a").status, 200);
  EXPECT_EQ(strict.match("GET", "/").status, 200);
  EXPECT_EQ(strict.match("GET", "/tail/").status, 200);
  for (const char* path : {"/v1/jobs/a/", "/v1//jobs/a", "/v1/jobs/", "//", "/tail"}) {
    EXPECT_EQ(strict.match("GET", path).status, 404) << path;
  }
}

TEST(Router, HeadIsAnsweredByGet) {
  const auto router = compile({{"", door({{"GET", "/a"}, {"POST", "/b"}})}});
  const auto match = router.match("HEAD", "/a");
  EXPECT_EQ(match.status, 200);
  EXPECT_TRUE(match.head);
  EXPECT_EQ(router.match("HEAD", "/b").status, 405);
}

TEST(Router, TheDoorChoosesTheAnswerToAWrongMethod) {
  const auto routes = door({{"GET", "/a"}, {"POST", "/a"}, {"DELETE", "/{x}"}});
  const auto router = compile({{"", routes}});
  const auto match = router.match("PUT", "/a");
  EXPECT_EQ(match.status, 405);
  EXPECT_EQ(match.allow, "GET, HEAD, POST, DELETE");
  EXPECT_EQ(pattern_of(router.match("DELETE", "/a")),
            "/{x}");  // a better path match without the method does not hide this one
  auto hiding = std::make_shared<Door>(*routes);
  hiding->wrong_method_is_404 = true;
  EXPECT_EQ(compile({{"", hiding}}).match("PUT", "/a").status, 404);
}

TEST(Router, LongestPrefixWithAMatchingRouteWins) {
  const auto root = door({{"GET", "/service/x"}, {"GET", "/only/root"}});
  const auto first = door({{"GET", "/x"}});
  const auto second = door({{"GET", "/x"}, {"GET", "/y"}, {"PUT", "/x"}});
  const auto router = compile({{"", root}, {"/service", first}, {"/service", second}});
  EXPECT_EQ(router.match("GET", "/service/x").door, first.get());
  EXPECT_EQ(router.match("GET", "/service/x").path, "/x");
  EXPECT_EQ(router.match("GET", "/service/y").door, second.get());
  EXPECT_EQ(router.match("PUT", "/service/x").door, second.get());
  EXPECT_EQ(router.match("GET", "/only/root").door, root.get());
  EXPECT_EQ(router.match("GET", "/service").path, "");
}

TEST(Router, WhichDoorAnswersAFailure) {
  const auto root = door({{"GET", "/a"}});
  const auto first = door({{"GET", "/x"}});
  const auto second = door({{"POST", "/y"}});
  const auto router = compile({{"/s", first}, {"", root}, {"/s", second}});
  EXPECT_EQ(router.match("GET", "/s/none").door, first.get());
  EXPECT_EQ(router.match("GET", "/s/none").status, 404);
  EXPECT_EQ(router.match("GET", "/s/y").door, second.get());
  EXPECT_EQ(router.match("GET", "/s/y").status, 405);
  EXPECT_EQ(router.match("GET", "/serious").door, root.get());  // prefixes end at a segment
  EXPECT_EQ(&router.fallback(), root.get());
  EXPECT_EQ(compile({}).match("GET", "/").status, 404);
  EXPECT_NE(compile({}).match("GET", "/").door, nullptr);
}

TEST(Router, BadEscapesAre400) {
  const auto router = compile({{"", door({{"GET", "/a/{b}"}})}});
  for (const char* path : {"/a/%", "/a/%zz", "/%2", "/a/b%00", "/nowhere/%"}) {
    EXPECT_EQ(router.match("GET", path).status, 400) << path;
  }
}

TEST(Router, RefusesBadSites) {
  const auto refused = [](Site site) { return !Router::compile(std::move(site)); };
  EXPECT_TRUE(refused({{"", door({{"GET", "no-slash"}})}}));
  EXPECT_TRUE(refused({{"", door({{"GET", "/{rest...}/x"}})}}));
  EXPECT_TRUE(refused({{"", door({{"GET", "/a/{x}"}, {"GET", "/a/{y}"}})}}));
  EXPECT_TRUE(refused({{"relative", door({})}}));
  EXPECT_TRUE(refused({{"", nullptr}}));
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "/{x}";
  EXPECT_TRUE(refused({{"", door({{"GET", deep}})}}));
  auto without_handler = door({{"GET", "/a"}});
  without_handler->routes[0].handler = nullptr;
  EXPECT_TRUE(refused({{"", without_handler}}));
}

TEST(Router, LongPathsAreHarmless) {
  const auto router = compile({{"", door({{"GET", "/{a}/{b}"}, {"GET", "/x/{rest...}"}})}});
  std::string path = "/x";
  for (int i = 0; i < 10000; ++i) path += "/a";
  EXPECT_EQ(router.match("GET", path).params.front().size(), path.size() - 3);
  EXPECT_THAT(router.match("GET", "/y" + path).params, IsEmpty());
}

}  // namespace
}  // namespace docket::http
