#include "model/secret_path.h"

namespace docket::model {
namespace {

std::string_view without_front_slashes(std::string_view path) {
  const auto begin = path.find_first_not_of('/');
  return begin == std::string_view::npos ? std::string_view{} : path.substr(begin);
}

// The first segment, taken off the front.
std::string_view next_segment(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view segment = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return segment;
}

}  // namespace

std::string_view secret_place(std::string_view path) { return without_front_slashes(path); }

std::string_view secret_file(std::string_view container_path) {
  return without_front_slashes(container_path);
}

std::string_view secret_group(std::string_view path) {
  const std::string_view place = secret_place(path);
  const auto slash = place.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : place.substr(0, slash);
}

bool may_use_secret(std::string_view job_id, std::string_view path) {
  std::string_view group = secret_group(path);
  while (!group.empty()) {
    if (job_id.empty()) return false;
    if (next_segment(group, '/') != next_segment(job_id, '.')) return false;
  }
  return true;
}

}  // namespace docket::model
