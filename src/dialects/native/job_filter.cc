#include "dialects/native/job_filter.h"

#include <algorithm>
#include <cctype>

namespace docket::native {
namespace {

bool has_label(const StringPairs& labels, std::string_view wanted) {
  const auto equals = wanted.find('=');
  const auto name = wanted.substr(0, equals);
  return std::any_of(labels.begin(), labels.end(), [&](const auto& label) {
    if (label.first != name) return false;
    return equals == std::string_view::npos || label.second == wanted.substr(equals + 1);
  });
}

bool contains_text(std::string_view where, std::string_view what) {
  const auto same = [](unsigned char a, unsigned char b) {
    return std::tolower(a) == std::tolower(b);
  };
  return std::search(where.begin(), where.end(), what.begin(), what.end(), same) != where.end();
}

}  // namespace

bool in_group(std::string_view id, std::string_view group) {
  return id.starts_with(group) && (id.size() == group.size() || id[group.size()] == '.');
}

bool JobFilter::matches(const model::JobDefinition& job) const {
  if (!group.empty() && !in_group(job.id, group)) return false;
  if (!text.empty() && !contains_text(job.id, text) &&
      !contains_text(job.description.value_or(""), text)) {
    return false;
  }
  return std::all_of(labels.begin(), labels.end(),
                     [&](const std::string& label) { return has_label(job.labels, label); });
}

}  // namespace docket::native
