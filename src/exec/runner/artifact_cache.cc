#include "exec/runner/artifact_cache.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <vector>

#include "core/json.h"
#include "core/json_writer.h"

namespace docket::runner {
namespace {

std::string key_of(const std::string& uri) {
  std::uint64_t hash =
      14695981039346656037U;  // FNV-1a; a clash is seen, since the index file names the URI
  for (const char c : uri) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return fmt::format("{:016x}", hash);
}

std::string text_member(const boost::json::object& object, std::string_view key) {
  const boost::json::value* found = object.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

struct Body {
  std::string name;
  std::uint64_t bytes = 0;
  std::int64_t used_at = 0;
};

std::vector<Body> list_bodies(int directory) {
  std::vector<Body> bodies;
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* entries = copy < 0 ? nullptr : ::fdopendir(copy);
  if (entries == nullptr) return bodies;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string name = entry->d_name;
    struct stat info{};
    if (!name.ends_with(".body") ||
        ::fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      continue;
    }
    bodies.push_back(
        {name, static_cast<std::uint64_t>(info.st_size), std::int64_t{info.st_mtim.tv_sec}});
  }
  ::closedir(entries);
  return bodies;
}

}  // namespace

std::optional<ArtifactCache::Hit> ArtifactCache::find(const std::string& uri) const {
  const auto index = parse_json(read_small_file(directory_, (key_of(uri) + ".index").c_str()));
  const boost::json::object* object = index ? index->if_object() : nullptr;
  if (object == nullptr || text_member(*object, "uri") != uri) return std::nullopt;
  const std::string name = text_member(*object, "body");
  OwnedFd body(::openat(directory_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!body) return std::nullopt;
  ::utimensat(directory_, name.c_str(), nullptr,
              AT_SYMLINK_NOFOLLOW);  // used: the last to be evicted
  return Hit{std::move(body), {text_member(*object, "etag"), text_member(*object, "lastModified")}};
}

Result<ArtifactCache::Draft> ArtifactCache::draft(const std::string& uri) const {
  Draft draft;
  draft.name = fmt::format("{}.{}.body", key_of(uri), ::getpid());
  ::unlinkat(directory_, draft.name.c_str(), 0);  // left by an earlier process with our pid
  draft.body = OwnedFd(
      ::openat(directory_, draft.name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!draft.body) return fail_errno("cannot write to the cache", errno);
  return draft;
}

void ArtifactCache::keep(const std::string& uri, const Draft& draft,
                         const Validators& validators) const {
  const std::string index = key_of(uri) + ".index";
  const std::string fresh = fmt::format("{}.{}", index, ::getpid());
  const auto before = parse_json(read_small_file(directory_, index.c_str()));
  std::string text;
  JsonWriter writer(text);
  writer.begin_object()
      .member("uri", uri)
      .member("body", draft.name)
      .member("etag", validators.etag)
      .member("lastModified", validators.last_modified)
      .end_object();
  const OwnedFd fd(
      ::openat(directory_, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != std::ssize(text) ||
      ::renameat(directory_, fresh.c_str(), directory_, index.c_str()) != 0) {
    drop(draft);
    return;
  }
  const boost::json::object* old = before ? before->if_object() : nullptr;
  const std::string old_body = old == nullptr ? std::string() : text_member(*old, "body");
  if (!old_body.empty() && old_body != draft.name) ::unlinkat(directory_, old_body.c_str(), 0);
  make_room();
}

void ArtifactCache::drop(const Draft& draft) const {
  ::unlinkat(directory_, draft.name.c_str(), 0);
}

// Index files of evicted bodies stay: they are small, and find() treats them as a miss.
void ArtifactCache::make_room() const {
  std::vector<Body> bodies = list_bodies(directory_);
  std::sort(bodies.begin(), bodies.end(),
            [](const Body& a, const Body& b) { return a.used_at > b.used_at; });
  std::uint64_t total = 0;
  for (const Body& body : bodies) {
    total += body.bytes;
    if (total > limit_) ::unlinkat(directory_, body.name.c_str(), 0);
  }
}

}  // namespace docket::runner
