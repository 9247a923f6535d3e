#pragma once

// Holds a file open by its identity, to tell whether its name still leads to it. What is written
// into a file that was deleted, or into a file system that was unmounted, is kept by the kernel
// only until the last process that has it open closes it.
//
// Closing an anchor leaves the locks of the process on the file alone; closing any other
// descriptor of it does not.

#include <cstdint>
#include <string>

#include "core/result.h"

namespace docket::store {

class Anchor {
 public:
  static Result<Anchor> drop(const std::string& file);
  ~Anchor();
  Anchor(Anchor&& other) noexcept;
  Anchor& operator=(Anchor&&) = delete;

  enum class Place {
    kThere,
    kElsewhere,  // moved, or its file system is not mounted there now: it may come back
    kGone,       // deleted
  };
  Place look() const;
  const std::string& file() const { return file_; }

 private:
  Anchor(std::string file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}
  std::string file_;
  int descriptor_;  // keeps the number of the file from being given to another
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

// Success: it is there. kDenied: it may come back. kUnavailable: it will not.
Result<> check_place(const Anchor& anchor);

}  // namespace docket::store
