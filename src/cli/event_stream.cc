#include "cli/event_stream.h"

namespace docket::cli {

void EventStream::take(std::string_view piece) {
  for (const char c : piece) {
    if (c != '\n') {
      line_.push_back(c);
      continue;
    }
    if (line_.ends_with('\r')) line_.pop_back();
    take_line(line_);
    line_.clear();
  }
}

void EventStream::take_line(std::string_view line) {
  if (line.empty()) {
    if (!data_.empty()) on_data_(data_);
    data_.clear();
    return;
  }
  if (!line.starts_with("data:")) return;
  line.remove_prefix(5);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (!data_.empty()) data_.push_back('\n');
  data_.append(line);
}

}  // namespace docket::cli
