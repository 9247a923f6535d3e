#include "dialects/metronome/complaints.h"

#include <utility>

namespace docket::metronome {

void Complaints::add(const std::string& path, std::string text) {
  const auto [place, is_new] = index_.try_emplace(path, fields_.size());
  if (is_new) fields_.push_back({path, {}});
  fields_[place->second].errors.push_back(std::move(text));
}

bool Complaints::covers(std::string path) const {
  while (!index_.contains(path)) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0) return false;
    path.resize(slash);
  }
  return true;
}

Result<> Complaints::verdict() && {
  if (fields_.empty()) return {};
  return fail({.kind = ErrorKind::kInvalid,
               .message = "Object is not valid",
               .fields = std::move(fields_)});
}

}  // namespace docket::metronome
