#pragma once

// DATA, where a server keeps everything (docs/architecture.md): made, mended and looked at before
// anything in it is opened.

#include <string>

#include "core/result.h"

namespace docket::app {

// Makes the directory if it is missing, whatever the umask: it can be passed through but not
// listed, since jobs of other users must reach their working directories below. One that is there
// is closed to readers if it is ours. kDenied for one that others may write or own: whoever can put
// files there is the server.
Result<> prepare_directory(const std::string& directory);

// Whether a store must be there already, so that a disk that is not mounted is not taken for a new
// beginning.
struct StoreRule {
  enum class Kind { kMayBeMissing, kMustExist, kMustExistOnceSeen };
  Kind kind = Kind::kMayBeMissing;
  std::string mark;  // of kMustExistOnceSeen: the file that says that there was one
};
Result<StoreRule> parse_store_rule(const std::string& text);  // "true", "false", or a file's path

Result<> check_store_is_there(const std::string& directory, const StoreRule& rule);
// There is a store now: leaves the mark.
Result<> mark_store_seen(const StoreRule& rule);

// Takes the permissions of all others from a file of ours. kDenied for one that others can read and
// that is not ours.
Result<> keep_private(const std::string& file);

}  // namespace docket::app
