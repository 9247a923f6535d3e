#include "core/json_path.h"

#include <fmt/format.h>

#include <iterator>

namespace docket {
namespace {

std::string written(const std::vector<JsonPath::Step>& steps, const char* before,
                    const char* after) {
  std::string out;
  for (const JsonPath::Step& step : steps) {
    if (const auto* index = std::get_if<std::size_t>(&step)) {
      fmt::format_to(std::back_inserter(out), "{}{}{}", before, *index, after);
    } else {
      out.append("/").append(std::get<std::string>(step));
    }
  }
  return out;
}

}  // namespace

std::string JsonPath::pointer() const { return written(steps_, "/", ""); }
std::string JsonPath::parenthesised() const { return written(steps_, "(", ")"); }

}  // namespace docket
