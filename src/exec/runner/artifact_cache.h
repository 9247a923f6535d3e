#pragma once

// Downloaded artifacts kept for the next attempt of the same user, each with its server's
// validators (ETag, Last-Modified). Every use asks the server whether the copy is still current.
// Several fetching processes may use one cache at once: bodies never change once they have their
// name, and the small file that names the body is replaced by rename. Used by the fetching
// process.

#include <cstdint>
#include <optional>
#include <string>

#include "exec/runner/artifact_download.h"
#include "exec/runner/owned_fd.h"

namespace docket::runner {

class ArtifactCache {
 public:
  // directory_fd stays the caller's.
  ArtifactCache(int directory_fd, std::uint64_t limit_bytes)
      : directory_(directory_fd), limit_(limit_bytes) {}

  struct Hit {
    OwnedFd body;
    Validators validators;
  };
  std::optional<Hit> find(const std::string& uri) const;

  // A new body to write to. keep() gives it its place and makes room; if it is not kept, drop()
  // it.
  struct Draft {
    OwnedFd body;  // open for reading too
    std::string name;
  };
  Result<Draft> draft(const std::string& uri) const;
  void keep(const std::string& uri, const Draft& draft, const Validators& validators) const;
  void drop(const Draft& draft) const;

 private:
  void make_room() const;
  int directory_;
  std::uint64_t limit_;
};

}  // namespace docket::runner
