// The process `docket runner-fetch`: runs as the attempt's user, in its working directory and
// cgroup, and gets artifacts one after the other. See fetch_request.h for what it is told, runner.h
// for how it answers.

#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <clocale>
#include <cstdio>

#include "exec/runner/archive_extract.h"
#include "exec/runner/artifact_cache.h"
#include "exec/runner/artifact_download.h"
#include "exec/runner/fetch_request.h"
#include "exec/runner/owned_fd.h"
#include "exec/runner/runner.h"

namespace docket::runner {
namespace {

// Downloads straight into the working directory.
Result<> get_plain(const std::string& uri, int to_fd, const FetchLimits& limits) {
  auto done = download(uri, to_fd, {}, limits);
  return done ? Result<>{} : fail(std::move(done.error()));
}

// Downloads into the cache unless the cached body is still current, then copies: the job may change
// its own file.
Result<> get_cached(const std::string& uri, int to_fd, const FetchLimits& limits) {
  const ArtifactCache cache(kCacheFd, limits.cache_bytes);
  const auto hit = cache.find(uri);
  auto draft = cache.draft(uri);
  if (!draft) return get_plain(uri, to_fd, limits);
  auto done = download(uri, draft->body.get(), hit ? hit->validators : Validators{}, limits);
  if (!done || done->freshness == Freshness::kUnchanged) cache.drop(*draft);
  if (!done) return fail(std::move(done.error()));
  if (done->freshness == Freshness::kUnchanged) {
    return copy_open_file(hit->body.get(), to_fd, limits.download_bytes);
  }
  ::lseek(draft->body.get(), 0, SEEK_SET);
  auto copied = copy_open_file(draft->body.get(), to_fd, limits.download_bytes);
  // A server that cannot tell versions apart gives us nothing to ask it next time.
  if (copied && done->validators.any()) {
    cache.keep(uri, *draft, done->validators);
  } else {
    cache.drop(*draft);
  }
  return copied;
}

Result<> get(const Artifact& artifact, const FetchRequest& request) {
  const auto name = artifact_name(artifact.uri);
  if (!name) return fail(name.error());
  const OwnedFd to(
      ::open(name->c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!to) return fail_errno(fmt::format("cannot make {}", *name), errno);
  Result<> done;
  if (const auto path = local_path(artifact.uri)) {
    done = copy_file(*path, to.get(), request.limits);
  } else if (artifact.cache && request.has_cache) {
    done = get_cached(artifact.uri, to.get(), request.limits);
  } else {
    done = get_plain(artifact.uri, to.get(), request.limits);
  }
  if (!done) return done;
  if (artifact.executable) ::fchmod(to.get(), 0755);
  if (!artifact.extract || artifact.executable || !is_archive_name(*name)) return {};
  return extract_archive(*name, request.limits);
}

}  // namespace

int run_fetch(int in_fd) {
  std::setlocale(LC_CTYPE, "C.UTF-8");  // libarchive converts file names by it
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  const auto request = decode_request(read_whole(in_fd, kMostBytes));
  if (!request) {
    fmt::print("Failed to fetch artifacts: {}", request.error().message);
    return 1;
  }
  ::curl_global_init(CURL_GLOBAL_DEFAULT);
  for (const Artifact& artifact : request->artifacts) {
    if (auto done = get(artifact, *request); !done) {
      fmt::print("Failed to fetch artifact {}: {}", shown_uri(artifact.uri), done.error().message);
      return 1;
    }
    const std::string line = fmt::format("Fetched {}\n", shown_uri(artifact.uri));
    std::fputs(line.c_str(), stderr);  // on a full disk too: does not throw
  }
  ::curl_global_cleanup();
  return 0;
}

}  // namespace docket::runner
