#pragma once

// Makes sure that one server at a time has a store: two would start the same attempts twice. Held
// until destroyed, or until the process ends however it ends.

#include <string>
#include <utility>

#include "core/result.h"

namespace docket::store {

class LockFile {
 public:
  static Result<LockFile> take(const std::string& file);  // kConflict when someone has it
  LockFile(LockFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace docket::store
