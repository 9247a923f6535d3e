#include "http/message.h"

namespace docket::http {
namespace {

std::optional<std::string_view> last_value(const Fields& fields, std::string_view name) {
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (field->first == name) return field->second;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> Request::query_value(std::string_view name) const {
  return last_value(query, name);
}

std::optional<std::string_view> Request::header(std::string_view lower_case_name) const {
  return last_value(headers, lower_case_name);
}

}  // namespace docket::http
