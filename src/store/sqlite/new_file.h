#pragma once

// A file that appears under its name complete and synced, or not at all. Until then it is
// NAME.partial, which a crash may leave behind; an existing file is never replaced.
//
//   Result<NewFile> file = NewFile::begin(name);
//   ... write file->partial() and close it ...
//   return file->publish();

#include <string>

#include "core/result.h"

namespace docket::store {

class NewFile {
 public:
  // An empty NAME.partial, readable by its owner only. kConflict: NAME exists.
  static Result<NewFile> begin(const std::string& name);
  ~NewFile();  // removes what is still partial
  NewFile(NewFile&& other) noexcept : name_(std::move(other.name_)) { other.name_.clear(); }
  NewFile& operator=(NewFile&&) = delete;

  std::string partial() const { return name_ + ".partial"; }
  // kConflict: somebody else's file has appeared meanwhile.
  Result<> publish();

 private:
  explicit NewFile(std::string name) : name_(std::move(name)) {}
  std::string name_;  // empty: moved away
};

}  // namespace docket::store
