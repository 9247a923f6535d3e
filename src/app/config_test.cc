#include "app/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace docket::app {
namespace {

std::string complaint(const std::string& name, const std::string& value) {
  ServeConfig config;
  const auto done = apply_setting(config, name, value);
  return done ? "" : done.error().message;
}

TEST(Endpoint, AllFormsAreRead) {
  EXPECT_EQ(parse_endpoint("127.0.0.2:7300")->address, "127.0.0.2");
  EXPECT_EQ(parse_endpoint("127.0.0.2:7300")->port, 7300);
  EXPECT_EQ(parse_endpoint("[::1]:80")->address, "::1");
  EXPECT_EQ(parse_endpoint("9000")->address, "127.0.0.1");
  EXPECT_EQ(parse_endpoint(":9000")->port, 9000);
  for (const char* bad : {"", "x", "1.2.3.4:", "1.2.3.4:99999", "1.2.3.4:-1", "1.2.3.4:80x"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

TEST(Ports, OffOnNamedAndAll) {
  ServeConfig config;
  EXPECT_EQ(config.port_of("metronome", 9000)->port, 9000);
  ASSERT_TRUE(apply_setting(config, "port", "all=off"));
  EXPECT_FALSE(config.port_of("metronome", 9000));
  ASSERT_TRUE(apply_setting(config, "port", "metronome=127.0.0.3:9001"));
  EXPECT_EQ(config.port_of("metronome", 9000)->address, "127.0.0.3");
  ASSERT_TRUE(apply_setting(config, "port", "metronome=off"));
  EXPECT_FALSE(config.port_of("metronome", 9000));
}

TEST(Settings, BadSettingsAreNamed) {
  EXPECT_EQ(complaint("colour", "red"), "no such setting: colour");
  EXPECT_EQ(complaint("port", "metronome"),
            "port: expected DOOR=PORT or DOOR=off, got \"metronome\"");
  EXPECT_EQ(complaint("node.cpus", "many"), "node.cpus: not a number in range: \"many\"");
  EXPECT_EQ(complaint("running-max", "0"), "running-max: 0 is less than 1");
  EXPECT_EQ(complaint("buffered-bytes", "1000"), "buffered-bytes: 1000 is less than 1048576");
  EXPECT_EQ(complaint("cgroups", "perhaps"), "cgroups: neither true nor false: \"perhaps\"");
}

TEST(Settings, ScyllasNamesForTheTimesToLive) {
  ServeConfig config;
  ASSERT_TRUE(apply_setting(config, "task_ttl_in_seconds", "7"));
  ASSERT_TRUE(apply_setting(config, "user_task_ttl_in_seconds", "8"));
  EXPECT_EQ(config.engine.task_ttl, std::chrono::seconds{7});
  EXPECT_EQ(config.engine.user_task_ttl, std::chrono::seconds{8});
  EXPECT_EQ(complaint("task_ttl_in_seconds", "x"),
            "task_ttl_in_seconds: not a number in range: \"x\"");
}

TEST(Settings, AreShownWithoutFilesAndAccessRules) {
  ServeConfig config;
  ASSERT_TRUE(apply_setting(config, "retention-days", "7"));
  ASSERT_TRUE(apply_setting(config, "data", "/srv/docket"));
  const auto pairs = shown_settings(config);
  const std::map<std::string, std::string> shown(pairs.begin(), pairs.end());
  EXPECT_EQ(shown.at("retention-days"), "7");
  EXPECT_EQ(shown.at("listen"), "127.0.0.1:7300");
  EXPECT_EQ(shown.at("running-max"), "5000");
  EXPECT_EQ(shown.at("cgroups"), "true");
  for (const char* file : {"data", "backups", "access", "require-store", "trust-group"}) {
    EXPECT_FALSE(shown.contains(file)) << file;
  }
}

TEST(Addresses, OnlyLoopbackUnlessAllowedExplicitly) {
  ServeConfig config;
  EXPECT_TRUE(check_addresses(config));
  config.hub.address = "0.0.0.0";
  EXPECT_EQ(check_addresses(config).error().kind, ErrorKind::kDenied);
  config.trust.remote = true;
  EXPECT_TRUE(check_addresses(config));
  config = {};
  config.hub.address = "0.0.0.0";
  config.access_file = "access.toml";
  EXPECT_TRUE(check_addresses(config));
  config = {};
  config.ports["metronome"] = Endpoint{"192.168.1.1", 9000};
  EXPECT_FALSE(check_addresses(config));
}

TEST(Callers, NamesAndGroupsAddUp) {
  ServeConfig config;
  EXPECT_FALSE(config.trust.local_users || config.trust.remote);
  for (const char* name : {"docket.example", "10.0.0.1"}) {
    EXPECT_TRUE(apply_setting(config, "host", name));
    EXPECT_TRUE(config.hosts.has(http::parse_authority(name).value()));
  }
  EXPECT_EQ(complaint("host", "http://x"),
            "host: neither a host name nor an address: \"http://x\"");
  EXPECT_TRUE(apply_setting(config, "trust-group", "root"));
  EXPECT_TRUE(apply_setting(config, "trust-group", "nogroup"));
  EXPECT_EQ(config.trust.groups, (std::vector<std::string>{"root", "nogroup"}));
  EXPECT_EQ(complaint("trust-group", "no-such-group"),
            "trust-group: there is no group no-such-group");
  EXPECT_TRUE(apply_setting(config, "allow-local-users", "true"));
  EXPECT_TRUE(config.trust.local_users);
  EXPECT_FALSE(config.trust.remote);
}

TEST(File, TablesAndListsAreSettings) {
  const auto path =
      std::filesystem::temp_directory_path() / ("docket-config-test-" + std::to_string(::getpid()));
  std::ofstream(path) << "listen = \"127.0.0.1:7301\"\nport = [\"metronome=off\"]\nretention-days "
                         "= 7\n[node]\ncpus = 2.5\n";
  ServeConfig config;
  const auto done = apply_file(config, path.string());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(config.hub.port, 7301);
  EXPECT_FALSE(config.port_of("metronome", 9000));
  EXPECT_EQ(config.engine.retention, std::chrono::days{7});
  EXPECT_EQ(config.engine.node.cpus, 2.5);
  std::ofstream(path) << "nonsense = [";
  EXPECT_FALSE(apply_file(config, path.string()));
  std::filesystem::remove(path);
  EXPECT_FALSE(apply_file(config, path.string()));
}

}  // namespace
}  // namespace docket::app
