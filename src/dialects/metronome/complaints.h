#pragma once

// What is wrong with a body, grouped by path in order of discovery, as the `details` of a 422 show
// it.

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"

namespace docket::metronome {

class Complaints {
 public:
  void add(const std::string& path, std::string text);
  bool empty() const { return fields_.empty(); }
  // Whether there is a complaint about this path or one that contains it.
  bool covers(std::string path) const;
  const std::vector<FieldError>& fields() const { return fields_; }

  // kInvalid, "Object is not valid", if there are any complaints.
  Result<> verdict() &&;

 private:
  std::vector<FieldError> fields_;
  std::unordered_map<std::string, std::size_t> index_;  // path -> place in fields_
};

}  // namespace docket::metronome
