#pragma once

// Gets one artifact into an open file: a copy for files, libcurl for http and https. Blocking; used
// by the fetching process, with its limits.

#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "exec/runner/runner.h"

namespace docket::runner {

// What a server said about a version of a document, to be sent back to it later. Empty: it said
// nothing.
struct Validators {
  std::string etag;
  std::string last_modified;
  bool any() const { return !etag.empty() || !last_modified.empty(); }
};

enum class Freshness { kNew, kUnchanged };  // kUnchanged: 304, nothing was written

struct Download {
  Freshness freshness = Freshness::kNew;
  Validators validators;
};

// An absolute path or file:// URI names a local file; nullopt for anything else.
std::optional<std::string> local_path(const std::string& uri);
// The name an artifact gets in the working directory: the last part of its path. kInvalid when
// there is none, and for a URI with a NUL, written out or as %00.
Result<std::string> artifact_name(const std::string& uri);
// Without a user name or password, for messages.
std::string shown_uri(const std::string& uri);

Result<> copy_file(const std::string& path, int to_fd, const FetchLimits& limits);
Result<> copy_open_file(int from_fd, int to_fd, std::uint64_t limit);
Result<Download> download(const std::string& uri, int to_fd, const Validators& known,
                          const FetchLimits& limits);

}  // namespace docket::runner
