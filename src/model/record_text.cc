#include "model/record_text.h"

#include <utility>

#include "core/json.h"

namespace docket::model {

boost::json::object members_of(const Record& record) {
  auto text = parse_json(record.text);
  if (!text || !text->is_object()) return {};
  return std::move(text->get_object());
}

}  // namespace docket::model
