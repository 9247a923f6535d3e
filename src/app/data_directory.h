#pragma once

// DATA, where a server keeps everything (docs/architecture.md): created, corrected and checked
// before anything in it is opened.

#include <string>

#include "core/result.h"

namespace docket::app {

// Creates the directory if it is missing, whatever the umask. It can be traversed but not listed,
// because jobs of other users must reach their working directories below it. An existing one of
// ours is closed to readers. kDenied if others may write to it or own it: they could put files
// there and so control the server.
Result<> prepare_directory(const std::string& directory);

// Whether a store must already exist, so that a disk that is not mounted is not mistaken for a
// fresh start.
struct StoreRule {
  enum class Kind { kMayBeMissing, kMustExist, kMustExistOnceSeen };
  Kind kind = Kind::kMayBeMissing;
  std::string mark;  // for kMustExistOnceSeen: the file that records that there was one
};
Result<StoreRule> parse_store_rule(const std::string& text);  // "true", "false", or a file's path

Result<> check_store_is_there(const std::string& directory, const StoreRule& rule);
// A store exists now: creates the mark.
Result<> mark_store_seen(const StoreRule& rule);

// Removes all other users' permissions from a file of ours. kDenied for a file that is not ours and
// that others can read.
Result<> keep_private(const std::string& file);

}  // namespace docket::app
