// Artifacts from files and from a small HTTP server in this process: get, unpack, keep, and refuse
// what is dangerous.

#include <archive.h>
#include <archive_entry.h>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <mutex>
#include <thread>

#include "exec/runner/archive_extract.h"
#include "exec/runner/artifact_download.h"
#include "exec/runner/fetch_request.h"
#include "exec/runner/log_files.h"
#include "exec/runner/owned_fd.h"
#include "support/runner/harness.h"

namespace docket::runner::testing {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers one request a connection: a document with an ETag, 304 for it, a redirect, 404, or
// silence.
class HttpServer {
 public:
  HttpServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  std::string url(const std::string& path) const {
    return fmt::format("http://127.0.0.1:{}{}", port_, path);
  }
  int full_answers() const { return full_; }
  int unchanged_answers() const { return unchanged_; }
  void set_version(int version) { version_ = version; }

 private:
  void serve() {
    for (;;) {
      OwnedFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer) return;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = ::recv(peer.get(), buffer, sizeof buffer, 0);
        if (n <= 0) break;
        request.append(buffer, static_cast<std::size_t>(n));
      }
      if (request.starts_with("GET /silent")) {
        silent_.push_back(std::move(peer));  // stays open, says nothing
        continue;
      }
      const std::string answer = respond(request);
      (void)!::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  std::string respond(const std::string& request) {
    if (request.starts_with("GET /moved")) {
      return "HTTP/1.1 302 Found\r\nLocation: /document\r\nContent-Length: 0\r\nConnection: "
             "close\r\n\r\n";
    }
    if (request.starts_with("GET /to-file")) {
      return "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: "
             "0\r\nConnection: close\r\n\r\n";
    }
    if (!request.starts_with("GET /document")) {
      return "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    }
    const std::string tag = fmt::format("\"v{}\"", version_.load());
    if (request.find("If-None-Match: " + tag) != std::string::npos) {
      ++unchanged_;
      return "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n";
    }
    ++full_;
    const std::string body = fmt::format("version {}\n", version_.load());
    return fmt::format(
        "HTTP/1.1 200 OK\r\nETag: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", tag,
        body.size(), body);
  }

  OwnedFd listener_;
  int port_ = 0;
  std::atomic<int> version_ = 1;
  std::atomic<int> full_ = 0;
  std::atomic<int> unchanged_ = 0;
  std::vector<OwnedFd> silent_;  // of the thread
  std::thread thread_;
};

struct Entry {
  std::string path;
  std::string content;
  std::string symlink = {};
  std::string hardlink = {};
  unsigned mode = 0644;
};

enum class Format { kTarGz, kZip };

void make_archive(const std::filesystem::path& file, Format format,
                  const std::vector<Entry>& entries) {
  archive* out = ::archive_write_new();
  if (format == Format::kZip) {
    ::archive_write_set_format_zip(out);
  } else {
    ::archive_write_add_filter_gzip(out);
    ::archive_write_set_format_pax_restricted(out);
  }
  ASSERT_EQ(::archive_write_open_filename(out, file.c_str()), ARCHIVE_OK);
  for (const Entry& entry : entries) {
    archive_entry* header = ::archive_entry_new();
    ::archive_entry_set_pathname(header, entry.path.c_str());
    ::archive_entry_set_filetype(header, entry.symlink.empty() ? AE_IFREG : AE_IFLNK);
    ::archive_entry_set_perm(header, static_cast<__LA_MODE_T>(entry.mode));
    ::archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
    if (!entry.symlink.empty()) ::archive_entry_set_symlink(header, entry.symlink.c_str());
    if (!entry.hardlink.empty()) ::archive_entry_set_hardlink(header, entry.hardlink.c_str());
    ASSERT_EQ(::archive_write_header(out, header), ARCHIVE_OK) << ::archive_error_string(out);
    ::archive_write_data(out, entry.content.data(), entry.content.size());
    ::archive_entry_free(header);
  }
  ::archive_write_close(out);
  ::archive_write_free(out);
}

class ArtifactTest : public ::testing::Test {
 protected:
  LaunchSpec spec(const std::string& cmd, Artifact artifact) {
    LaunchSpec made = shell(cmd);
    made.artifacts = {std::move(artifact)};
    return made;
  }
  std::string path(const std::string& name) const { return runner.dir() / name; }
  Harness runner;
  HttpServer http;
};

TEST_F(ArtifactTest, TarIsUnpackedBesideItself) {
  make_archive(path("a.tar.gz"), Format::kTarGz,
               {{"top", "1"}, {"dir/inner", "2", {}, {}, 0755}, {"dir/link", "", "../top"}});
  const TaskId token = runner.start(spec("cat top dir/inner dir/link; ls; stat -c ' %a' dir/inner",
                                         {"file://" + path("a.tar.gz")}));
  const AttemptReport report = runner.wait(token);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_EQ(runner.out(token), "121a.tar.gz\ndir\ntop\n 755\n");
}

TEST_F(ArtifactTest, ZipWithAForeignNameIsUnpackedForAnotherUser) {
  make_archive(path("a.zip"), Format::kZip, {{"\xc3\xa9t\xc3\xa9/x", "zipped"}});
  LaunchSpec wanted = spec("cat */x; stat -c ' %U' */x", {path("a.zip")});
  if (::geteuid() == 0) wanted.user = "nobody";
  const TaskId token = runner.start(wanted);
  const AttemptReport report = runner.wait(token);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_THAT(runner.out(token), HasSubstr("zipped"));
  if (::geteuid() == 0) EXPECT_THAT(runner.out(token), HasSubstr("nobody"));
}

TEST_F(ArtifactTest, ExtractFalseLeavesTheArchiveAlone) {
  make_archive(path("a.tgz"), Format::kTarGz, {{"top", "1"}});
  const TaskId token = runner.start(spec("ls", {path("a.tgz"), false}));
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "a.tgz\n");
}

TEST_F(ArtifactTest, ExecutableRuns) {
  std::ofstream(path("tool")) << "#!/bin/sh\necho tool $1\n";
  LaunchSpec wanted;
  wanted.args = {"./tool", "ran"};
  wanted.artifacts = {{path("tool"), true, true}};
  const TaskId token = runner.start(wanted);
  EXPECT_TRUE(runner.wait(token).succeeded());
  EXPECT_EQ(runner.out(token), "tool ran\n");
}

TEST_F(ArtifactTest, ComesOverHttpThroughARedirect) {
  const TaskId token = runner.start(spec("cat moved", {http.url("/moved?query=1")}));
  const AttemptReport report = runner.wait(token);
  EXPECT_TRUE(report.succeeded()) << report.message;
  EXPECT_EQ(runner.out(token), "version 1\n");
}

TEST_F(ArtifactTest, RedirectToAFileIsRefused) {
  const AttemptReport report = runner.run(spec("cat to-file", {http.url("/to-file")}));
  EXPECT_THAT(report.message, HasSubstr("Failed to fetch artifact"));
}

TEST_F(ArtifactTest, CacheAsksAndUsesWhatItHas) {
  const Artifact cached{http.url("/document"), true, false, true};
  for (int i = 0; i < 3; ++i) {
    const TaskId token = runner.start(spec("cat document; echo changed > document", cached));
    EXPECT_TRUE(runner.wait(token).succeeded());
    EXPECT_EQ(runner.out(token), "version 1\n");
  }
  EXPECT_EQ(http.full_answers(), 1);
  EXPECT_EQ(http.unchanged_answers(), 2);
  http.set_version(2);
  const TaskId token = runner.start(spec("cat document", cached));
  runner.wait(token);
  EXPECT_EQ(runner.out(token), "version 2\n");
  EXPECT_EQ(http.full_answers(), 2);
}

TEST_F(ArtifactTest, FailureNamesTheArtifactAndTheReason) {
  EXPECT_EQ(runner.run(spec("true", {path("none")})).message,
            fmt::format("Failed to fetch artifact {}: No such file or directory", path("none")));
  EXPECT_EQ(runner.run(spec("true", {http.url("/none")})).message,
            fmt::format("Failed to fetch artifact {}: the server answered 404", http.url("/none")));
  EXPECT_THAT(runner.run(spec("true", {"ftp://127.0.0.1/x"})).message,
              HasSubstr("Failed to fetch artifact ftp"));
  EXPECT_THAT(runner.run(spec("true", {"http://127.0.0.1:1/x"})).message, HasSubstr("connect"));
  const AttemptReport report = runner.run(spec("true", {runner.dir()}));
  EXPECT_THAT(report.message, HasSubstr("not a regular file"));
  EXPECT_EQ(report.started_at, kNever);
  EXPECT_EQ(report.exit_code, 1);
}

TEST_F(ArtifactTest, PasswordsAreNotShown) {
  EXPECT_THAT(runner.run(spec("true", {"http://user:pass@127.0.0.1:1/x"})).message,
              Not(HasSubstr("pass")));
  EXPECT_EQ(shown_uri("http://user:pa@ss@host/x@y"), "http://host/x@y");
}

TEST_F(ArtifactTest, EscapingArchivesAreRefused) {
  const std::vector<std::vector<Entry>> evils = {
      {{"../evil", "x"}},
      {{"a/../../evil", "x"}},
      {{"/tmp/docket-evil", "x"}},
      {{"link", "", "/etc"}},
      {{"link", "", "../.."}},
      {{"dir/link", "", "../../up"}},
      {{"hard", "", {}, "../../record"}},
      {{"slash/", "", ".."}},
      {{"up", "", "here/here/../.."}, {"here", "", "."}},
      {{"dir/dir/link", "", "../.."}, {"hard", "", {}, "dir/dir/link"}},
  };
  for (const auto& entries : evils) {
    make_archive(path("evil.tar.gz"), Format::kTarGz, entries);
    const AttemptReport report = runner.run(spec("true", {path("evil.tar.gz")}));
    EXPECT_THAT(report.message, HasSubstr("outside of the working directory")) << entries[0].path;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/docket-evil"));
}

TEST_F(ArtifactTest, DamagedArchiveFails) {
  std::ofstream(path("bad.tar.gz")) << "this is no archive";
  EXPECT_THAT(runner.run(spec("true", {path("bad.tar.gz")})).message, HasSubstr("archive"));
}

TEST_F(ArtifactTest, StopWhileFetchingCancels) {
  const TaskId token = runner.start(spec("echo never", {http.url("/silent")}));
  runner.wait(token, AttemptPhase::kStarting);
  runner.executor().stop(token, std::nullopt);
  const AttemptReport report = runner.wait(token);
  EXPECT_EQ(report.signal, SIGTERM);
  EXPECT_EQ(report.message, "Stopped before the command was started");
  EXPECT_EQ(report.started_at, kNever);
  EXPECT_EQ(runner.out(token), "");
}

TEST_F(ArtifactTest, FetchingHoldsUpNoOtherAttempt) {
  runner.start(spec("true", {http.url("/silent")}));
  EXPECT_TRUE(runner.run("true").succeeded());
}

TEST(ArtifactLimitTest, LargeDownloadsAndArchivesAreRefused) {
  Harness runner({"download_bytes=1000", "extracted_bytes=5000"});
  std::ofstream(runner.dir() / "big") << std::string(1001, 'x');
  make_archive(runner.dir() / "bomb.tar.gz", Format::kTarGz,
               {{"zeros", std::string(100'000, '\0')}});
  LaunchSpec spec = shell("true");
  spec.artifacts = {{runner.dir() / "big"}};
  EXPECT_THAT(runner.run(spec).message, HasSubstr("larger than the limit"));
  spec.artifacts = {{runner.dir() / "bomb.tar.gz"}};
  EXPECT_THAT(runner.run(spec).message, HasSubstr("unpacks to more than the limit"));
}

TEST(ArtifactNameTest, IsTheLastPartOfThePath) {
  EXPECT_EQ(artifact_name("http://host/a/b.zip?x=/y#/z").value(), "b.zip");
  EXPECT_EQ(artifact_name("file:///a/b%20c").value(), "b c");
  EXPECT_EQ(artifact_name("/a/b?c").value(), "b?c");
  for (const char* uri :
       {"http://host", "http://host/", "file:///", "/a/..", "/", "", "http://host/a/."}) {
    EXPECT_FALSE(artifact_name(uri)) << uri;
  }
}

TEST(ArtifactNameTest, RecognizesArchives) {
  EXPECT_TRUE(is_archive_name("a.tar.gz"));
  EXPECT_TRUE(is_archive_name("a.zip"));
  EXPECT_TRUE(is_archive_name("a.gz"));
  EXPECT_FALSE(is_archive_name("a.txt"));
  EXPECT_FALSE(is_archive_name(".tar"));
}

// What follows the NUL would be shown, and decide whether to unpack, but not be part of the file
// name.
TEST(ArtifactNameTest, RefusesNul) {
  for (const std::string& uri :
       {std::string("http://h/a\0b.tgz", 16), std::string("http://h\0/x", 11),
        std::string("/a\0b", 4), std::string("file:///a%00/b.tgz")}) {
    EXPECT_FALSE(artifact_name(uri)) << uri;
  }
}

TEST(FetchRequestTest, IsReadAsItWasWritten) {
  FetchRequest request;
  request.artifacts = {{"http://h/x\"\n", false, true, true}, {"/y"}};
  request.limits.seconds = 7;
  request.has_cache = true;
  const auto read = decode_request(encode_request(request));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->artifacts, request.artifacts);
  EXPECT_EQ(read->limits.seconds, 7U);
  EXPECT_EQ(read->limits.download_bytes, request.limits.download_bytes);
  EXPECT_TRUE(read->has_cache);
  EXPECT_FALSE(decode_request("[]"));
}

TEST(FetchRequestTest, InvalidNumbersReadAsZero) {
  const auto read =
      decode_request(R"({"artifacts":[],"seconds":"x","cacheBytes":-1,"downloadBytes":0.5})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->limits.seconds, 0U);
  EXPECT_EQ(read->limits.cache_bytes, 0U);
  EXPECT_EQ(read->limits.download_bytes, 0U);
}

}  // namespace
}  // namespace docket::runner::testing
