#pragma once

// Parses Server-Sent Events from pieces of any size: https://html.spec.whatwg.org section 9.2.6.

#include <functional>
#include <string>
#include <string_view>

namespace docket::cli {

class EventStream {
 public:
  // Called with the data of each event that has any.
  explicit EventStream(std::function<void(const std::string&)> on_data)
      : on_data_(std::move(on_data)) {}

  void take(std::string_view piece);

 private:
  void take_line(std::string_view line);

  std::function<void(const std::string&)> on_data_;
  std::string line_;  // begun, not ended
  std::string data_;
};

}  // namespace docket::cli
