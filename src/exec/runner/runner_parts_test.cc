// The parts without processes: the wire, records, log reading, finding cgroups.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "exec/runner/attempt_record.h"
#include "exec/runner/cgroups.h"
#include "exec/runner/log_reader.h"
#include "exec/runner/wire.h"

namespace docket::runner {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "runner-parts-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

std::string read_file(const std::filesystem::path& file) {
  return read_small_file(AT_FDCWD, file.c_str());
}

// ---- wire ----

LaunchSpec full_spec() {
  LaunchSpec spec;
  spec.cmd = "echo";
  spec.args = {"a", ""};
  spec.user = "nobody";
  spec.env = {{"A", "1"}, {"B", std::string("\0\n", 2)}};
  spec.secret_files = {{"key", "content"}};
  spec.artifacts = {{"http://host/x.tgz", false, true, true}};
  spec.cpus = 0.1;
  spec.mem_mib = 32;
  spec.disk_mib = 1e9;
  spec.kill_grace = Duration{-1};
  return spec;
}

constexpr std::size_t kMaxFrame = 1 << 20;

TEST(WireTest, StartArrivesWhole) {
  std::string bytes;
  wire::append(bytes, TaskId{1ULL << 63}, full_spec());
  std::string_view rest = bytes;
  auto message = wire::take(rest, kMaxFrame);
  ASSERT_TRUE(message && *message);
  const auto& start = std::get<wire::Start>(**message);
  EXPECT_EQ(start.token, TaskId{1ULL << 63});
  const LaunchSpec sent = full_spec();
  EXPECT_EQ(start.spec.cmd, sent.cmd);
  EXPECT_EQ(start.spec.args, sent.args);
  EXPECT_EQ(start.spec.user, sent.user);
  EXPECT_EQ(start.spec.env, sent.env);
  EXPECT_EQ(start.spec.secret_files[0].content, "content");
  EXPECT_EQ(start.spec.artifacts, sent.artifacts);
  EXPECT_EQ(start.spec.cpus, sent.cpus);
  EXPECT_EQ(start.spec.disk_mib, sent.disk_mib);
  EXPECT_EQ(start.spec.kill_grace, sent.kill_grace);
  EXPECT_TRUE(rest.empty());
}

TEST(WireTest, EveryPrefixWaitsForMore) {
  std::string bytes;
  wire::append(bytes, TaskId{7}, full_spec());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view rest(bytes.data(), size);
    const auto message = wire::take(rest, kMaxFrame);
    ASSERT_TRUE(message) << size;
    EXPECT_FALSE(*message) << size;
  }
}

TEST(WireTest, EveryDamagedByteIsReadOrRefused) {
  std::string bytes;
  wire::append(bytes, TaskId{7}, full_spec());
  for (std::size_t at = 4; at < bytes.size(); ++at) {
    for (const char value : {'\0', '\x7f', '\xff'}) {
      std::string damaged = bytes;
      damaged[at] = value;
      std::string_view rest = damaged;
      (void)wire::take(rest, kMaxFrame);
    }
  }
}

TEST(WireTest, SeveralFramesComeInOrder) {
  AttemptReport report{
      .token = TaskId{9}, .phase = AttemptPhase::kExited, .exit_code = -1, .oom = true};
  report.started_at = from_micros(1);
  report.message = "why";
  std::string bytes;
  wire::append(bytes, wire::Hello{3, "status"});
  wire::append(bytes, wire::Stop{TaskId{1}, Duration{5}});
  wire::append(bytes, wire::Forget{{TaskId{1}, TaskId{2}}});
  wire::append(bytes, wire::Find{4, {TaskId{3}}});
  wire::append(bytes, report);
  wire::append(bytes, wire::Found{4, {report}});
  std::string_view rest = bytes;
  EXPECT_EQ(std::get<wire::Hello>(**wire::take(rest, kMaxFrame)).version, 3U);
  EXPECT_EQ(std::get<wire::Stop>(**wire::take(rest, kMaxFrame)).grace, Duration{5});
  EXPECT_EQ(std::get<wire::Forget>(**wire::take(rest, kMaxFrame)).tokens.size(), 2U);
  EXPECT_EQ(std::get<wire::Find>(**wire::take(rest, kMaxFrame)).request, 4U);
  EXPECT_EQ(std::get<wire::Report>(**wire::take(rest, kMaxFrame)).report.exit_code, -1);
  const auto found = std::get<wire::Found>(**wire::take(rest, kMaxFrame));
  EXPECT_EQ(found.reports.at(0).message, "why");
  EXPECT_TRUE(found.reports.at(0).oom);
}

TEST(WireTest, AFrameThatIsTooLongIsRefusedBeforeItArrives) {
  std::string_view rest("\xff\xff\xff\x7f\x01", 5);
  EXPECT_FALSE(wire::take(rest, kMaxFrame));
}

// ---- records ----

TEST(AttemptRecordTest, ReadsWhatItWrote) {
  AttemptReport report{
      .token = TaskId{5}, .phase = AttemptPhase::kExited, .exit_code = 3, .signal = 9, .oom = true};
  report.started_at = from_micros(10);
  report.finished_at = from_micros(20);
  report.message = "two\nlines";
  const std::string text = claim_line({"boot", Duration{7}, 1.5, 32, "4"}) + secret_line("a b/c") +
                           "spawn 77\n" + start_line({77, 1, 2, from_micros(10)}) +
                           exit_line(report);
  const AttemptRecord record = parse_record(TaskId{5}, text);
  EXPECT_EQ(record.claim->slot, "4");
  EXPECT_EQ(record.claim->disk_mib, 1.5);
  EXPECT_EQ(record.secret_paths, std::vector<std::string>{"a b/c"});
  EXPECT_TRUE(record.spawned);
  EXPECT_EQ(record.spawned_pid, 77);
  EXPECT_EQ(record.start->pid, 77);
  EXPECT_EQ(record.exit->signal, 9);
  EXPECT_EQ(record.exit->finished_at, from_micros(20));
  EXPECT_EQ(record.exit->message, "two lines");
}

TEST(AttemptRecordTest, ALineWithoutItsEndDoesNotCount) {
  const AttemptRecord record = parse_record(TaskId{5}, "claim b 0 0 0 -\nspawn 7\nexit 0 0 0 1 2 ");
  EXPECT_TRUE(record.spawned);
  EXPECT_EQ(record.claim->slot, "");
  EXPECT_FALSE(record.exit);
}

// ---- reading logs ----

TEST(LogReaderTest, ReadsFromAnOffsetToTheEnd) {
  Folder folder;
  write_file(folder / "log", "0123456789");
  EXPECT_EQ(read_log(folder / "log", 0, 4)->data, "0123");
  EXPECT_EQ(read_log(folder / "log", 8, 100)->data, "89");
  EXPECT_EQ(read_log(folder / "log", 10, 100)->data, "");
  EXPECT_EQ(read_log(folder / "log", 99, 100)->data, "");
  EXPECT_EQ(read_log(folder / "log", 99, 100)->size, 10U);
  EXPECT_EQ(read_log(folder / "none", 0, 1).error().kind, ErrorKind::kNotFound);
}

// ---- finding cgroups ----

using Files = std::map<std::string, std::string>;

std::vector<Hierarchy> found(const std::string& mounts, const std::string& self,
                             const Files& files = {}) {
  return find_hierarchies(mounts, self, [&](const std::filesystem::path& path) {
    const auto at = files.find(path.string());
    return at == files.end() ? std::string() : at->second;
  });
}

TEST(CgroupProbeTest, PrefersV2WithItsControllers) {
  const auto list = found("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                          "0::/system.slice/docket.service\n",
                          {{"/sys/fs/cgroup/system.slice/docket.service/cgroup.controllers",
                            "cpuset cpu io memory pids\n"}});
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].version, CgroupVersion::kV2);
  EXPECT_EQ(list[0].base, "/sys/fs/cgroup/system.slice/docket.service");
}

TEST(CgroupProbeTest, FallsBackToV1OnAHybridMachine) {
  const auto list = found(
      "31 1 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n"
      "32 1 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "33 1 0:29 /docker/1 /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "34 1 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "35 1 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
      "8:pids:/\n4:memory:/docker/1/sub\n3:cpuset:/\n2:cpu,cpuacct:/\n0::/\n");
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[2].base, "/sys/fs/cgroup/pids");
  EXPECT_TRUE(list[2].pids);
  EXPECT_EQ(list[0].base, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_TRUE(list[0].cpu);
  EXPECT_FALSE(list[0].memory);
  EXPECT_EQ(list[1].base, "/sys/fs/cgroup/memory/sub");
  EXPECT_TRUE(list[1].memory);
}

TEST(CgroupProbeTest, TakesEachControllerOnce) {
  const auto list = found(
      "31 1 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "33 1 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "71 1 0:27 / /srv/chroot/sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "73 1 0:29 / /srv/chroot/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
      "4:memory:/\n2:cpu:/\n");
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].base, "/sys/fs/cgroup/cpu");
  EXPECT_EQ(list[1].base, "/sys/fs/cgroup/memory");
}

// Process limits alone would look like limits, but be none of those that jobs ask for.
TEST(CgroupProbeTest, PidsAloneDoNotCount) {
  EXPECT_TRUE(
      found("35 1 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n", "8:pids:/\n").empty());
}

TEST(CgroupProbeTest, FindsNothingWhereThereIsNothing) {
  EXPECT_TRUE(found("", "").empty());
  EXPECT_TRUE(found("34 1 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n").empty());
}

// A folder of plain files stands in for a v2 hierarchy, which this test cannot count on.
TEST(CgroupPoolTest, WritesV2Limits) {
  Folder folder;
  write_file(folder / "cgroup.subtree_control", "cpu memory pids\n");
  write_file(folder / "docket/cgroup.subtree_control", "cpu memory pids\n");
  for (const char* name :
       {"cgroup.procs", "cpu.weight", "cpu.max", "memory.max", "memory.swap.max", "pids.max"}) {
    write_file(folder / fmt::format("docket/7-0/{}", name), "");
  }
  write_file(folder / "docket/7-0/memory.events", "low 0\noom 0\noom_kill 2\noom_group_kill 0\n");
  CgroupPool pool({}, {Hierarchy{CgroupVersion::kV2, folder / "docket", true, true}}, 7);
  EXPECT_EQ(pool.status(), "cgroup v2 (cpu, memory, pids)");
  auto slot = pool.take({0.5, 32, 100});
  ASSERT_TRUE(slot) << slot.error().message;
  EXPECT_EQ(read_file(folder / "docket/7-0/cpu.weight"), "50");
  EXPECT_EQ(read_file(folder / "docket/7-0/cpu.max"), "50000 100000");
  EXPECT_EQ(read_file(folder / "docket/7-0/memory.max"), "33554432");
  EXPECT_EQ(read_file(folder / "docket/7-0/memory.swap.max"), "0");
  EXPECT_EQ(read_file(folder / "docket/7-0/pids.max"), "100");
  EXPECT_FALSE(pool.oom_killed(**slot));
  write_file(folder / "docket/7-0/memory.events", "oom_kill 3\n");
  EXPECT_TRUE(pool.oom_killed(**slot));
}

// Our own cgroup refuses (its control file cannot be written), the parent does not.
TEST(CgroupPoolTest, GoesUpToTheAncestorThatAllowsIt) {
  Folder folder;
  write_file(folder / "cgroup.subtree_control", "cpu memory pids\n");
  std::filesystem::create_directories(folder /
                                      "session/cgroup.subtree_control");  // cannot be written
  write_file(folder / "docket/cgroup.subtree_control", "cpu memory pids\n");
  CgroupPool pool({}, {Hierarchy{CgroupVersion::kV2, folder / "session/docket", true, true}}, 7);
  EXPECT_EQ(pool.status(), "cgroup v2 (cpu, memory, pids)");
}

TEST(CgroupPoolTest, SaysWhyItCannot) {
  Folder folder;
  std::filesystem::create_directories(folder / "cgroup.subtree_control");
  CgroupPool pool({}, {Hierarchy{CgroupVersion::kV2, folder / "docket", true, true}}, 7);
  EXPECT_THAT(pool.status(), ::testing::HasSubstr("cannot set"));
  EXPECT_FALSE(pool.active());
}

}  // namespace
}  // namespace docket::runner
