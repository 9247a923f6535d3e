#include "dialects/metronome/ids.h"

#include <algorithm>

#include "model/task.h"

namespace docket::metronome {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

bool is_id_segment(std::string_view text) {
  if (text.empty() || !is_alphanumeric(text.front()) || !is_alphanumeric(text.back())) return false;
  return std::ranges::all_of(text, [](char c) { return c == '-' || is_alphanumeric(c); });
}

bool is_job_id(std::string_view text) {
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_id_segment(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_schedule_id(std::string_view text) { return text.size() >= 2 && is_id_segment(text); }

std::optional<std::string> job_id_of_path(std::string_view text) {
  if (is_job_id(text)) return std::string(text);
  std::string id;
  while (!text.empty()) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string_view segment = text.substr(0, dot);
    text.remove_prefix(std::min(dot + 1, text.size()));
    if (segment.empty()) continue;
    if (!is_id_segment(segment)) return std::nullopt;
    if (!id.empty()) id.push_back('.');
    id.append(segment);
  }
  return id;
}

void append_task_id(std::string& out, std::string_view job_id, std::string_view run_name,
                    TaskId attempt) {
  for (char c : job_id) out.push_back(c == '.' ? '_' : c);
  out.push_back('_');
  out.append(run_name);
  out.push_back('.');
  out.append(model::uuid_of(attempt));
}

}  // namespace docket::metronome
