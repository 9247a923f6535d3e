#pragma once

// Ids of records as doors show them.

#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"

namespace docket::model {

// A stable UUID (8-4-4-4-12, lower case) made from the number, unlike that of any task; and back.
std::string uuid_of(RecordId id);
std::optional<RecordId> record_of_uuid(std::string_view uuid);

}  // namespace docket::model
