#include "http/origin.h"

#include <gtest/gtest.h>

namespace docket::http {
namespace {

std::string shown(std::string_view text) {
  const auto authority = parse_authority(text);
  if (!authority) return "none";
  return authority->name + (authority->address ? " address" : "") +
         (authority->port ? " " + std::to_string(*authority->port) : "");
}

TEST(Authority, OneFormOfEveryName) {
  EXPECT_EQ(shown("localhost"), "localhost");
  EXPECT_EQ(shown("LocalHost.:9000"), "localhost 9000");
  EXPECT_EQ(shown("docket_1.example:"), "docket_1.example");
  EXPECT_EQ(shown("127.0.0.1:80"), "127.0.0.1 address 80");
  EXPECT_EQ(shown("127.0.0.1."), "127.0.0.1 address");
  EXPECT_EQ(shown("127.evil.example"), "127.evil.example");
  EXPECT_EQ(shown("[::1]:80"), "::1 address 80");
  EXPECT_EQ(shown("[0:0:0:0:0:0:0:1]"), "::1 address");
  EXPECT_EQ(shown("[::ffff:127.0.0.1]:80"), "127.0.0.1 address 80");
  EXPECT_EQ(shown("[FE80::A]"), "fe80::a address");
}

TEST(Authority, RefusesAnythingElse) {
  for (const char* text : {"",
                           ".",
                           "..",
                           "a..",
                           ":",
                           ":80",
                           "::1",
                           "a:b",
                           "a:80:80",
                           "a:-1",
                           "a:+1",
                           "a:65536",
                           "a:80 ",
                           "a b",
                           "a,b",
                           "a/b",
                           "user@localhost",
                           "[",
                           "[]",
                           "[::1",
                           "[::1]x",
                           "[::1]80",
                           "[127.0.0.1]",
                           "[localhost]",
                           "[::1%lo]",
                           "localhost%00",
                           "http://localhost",
                           "local\thost",
                           "*"}) {
    EXPECT_EQ(shown(text), "none") << text;
  }
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "none");
  EXPECT_EQ(shown(std::string_view("[1.2.3.4\0:]", 11)), "none");
  EXPECT_EQ(shown(std::string_view("[::1\0]", 7)), "none");
}

bool own(std::string_view host, const std::vector<std::string>& names = {}) {
  HostNames own;
  for (const std::string& name : names) EXPECT_TRUE(own.add(name)) << name;
  return own.has(parse_authority(host).value());
}

TEST(HostNames, ThisMachine) {
  for (const char* host : {"localhost", "LOCALHOST.:1", "127.0.0.1", "127.0.0.2:9000", "[::1]:9000",
                           "[::ffff:127.0.0.1]", "0.0.0.0:9000", "[::]"}) {
    EXPECT_TRUE(own(host)) << host;
  }
  for (const char* host :
       {"evil.example", "192.168.1.6", "localhost.evil.example", "127.evil.example",
        "127.0.0.1.evil.example", "evil.localhost", "0.0.0.1", "[::2]"}) {
    EXPECT_FALSE(own(host)) << host;
  }
}

TEST(HostNames, ThoseOfTheSettings) {
  const std::vector<std::string> names{"Docket.Example.", "10.0.0.1", "2001:DB8::1"};
  EXPECT_TRUE(own("docket.example:7300", names));
  EXPECT_TRUE(own("10.0.0.1", names));
  EXPECT_TRUE(own("[2001:db8::1]:80", names));
  EXPECT_FALSE(own("other.docket.example", names));
  EXPECT_FALSE(own("example", names));
  for (const char* bad : {"", "a:80", "http://a", "*.example", "a b", "[::1]:80"}) {
    EXPECT_FALSE(HostNames().add(bad)) << bad;
  }
}

bool foreign(std::string_view host, std::optional<std::string> origin,
             std::optional<std::string> site = std::nullopt) {
  Request request;
  if (origin) request.headers.emplace_back("origin", *origin);
  if (site) request.headers.emplace_back("sec-fetch-site", *site);
  return is_foreign(request, host);
}

TEST(Origin, ClientsOtherThanBrowsersSendNoOrigin) {
  EXPECT_FALSE(foreign("localhost:9000", std::nullopt));
}

TEST(Origin, ThePageMustComeFromTheHostItAsks) {
  EXPECT_FALSE(foreign("localhost:9000", "http://localhost:9000"));
  EXPECT_FALSE(foreign("LOCALHOST.:9000", "http://localhost:9000"));
  EXPECT_FALSE(foreign("[::1]:9000", "http://[::1]:9000"));
  EXPECT_FALSE(foreign("docket.example", "http://docket.example"));
  EXPECT_FALSE(foreign("docket.example", "https://docket.example"));  // behind a proxy with TLS
  EXPECT_FALSE(foreign("docket.example", "https://docket.example:443"));
  EXPECT_FALSE(foreign("docket.example:80", "http://docket.example"));
  EXPECT_FALSE(foreign("localhost:8000", "http://localhost:8000"));  // a forwarded port
  for (const char* origin :
       {"http://localhost", "http://localhost:3000", "http://127.0.0.1:9000",
        "http://127.0.0.2:9000", "http://evil.example", "https://evil.example:9000",
        "http://evil.localhost:9000", "null", "", "localhost:9000", "//localhost:9000", "file://",
        "file://localhost:9000", "chrome-extension://localhost:9000", "http://user@localhost:9000",
        "http://localhost:9000/", "http://localhost:9000 http://evil.example",
        "http://localhost:9000.evil.example"}) {
    EXPECT_TRUE(foreign("localhost:9000", origin)) << origin;
  }
  EXPECT_TRUE(foreign("docket.example", "http://docket.example:443"));
  EXPECT_TRUE(foreign("", "http://localhost"));  // HTTP/1.0 without Host
}

TEST(Origin, SitesAsBrowsersReportThem) {
  EXPECT_FALSE(foreign("localhost:9000", std::nullopt, "none"));  // typed by the user
  EXPECT_FALSE(foreign("localhost:9000", std::nullopt, "same-origin"));
  EXPECT_FALSE(foreign("localhost:9000", "http://localhost:9000", "same-origin"));
  // Another port of localhost is the same site.
  for (const char* site : {"cross-site", "same-site", "", "anything"}) {
    EXPECT_TRUE(foreign("localhost:9000", std::nullopt, site)) << site;
    EXPECT_TRUE(foreign("localhost:9000", "http://localhost:9000", site)) << site;
  }
  EXPECT_TRUE(foreign("localhost:9000", "http://evil.example", "same-origin"));
}

}  // namespace
}  // namespace docket::http
