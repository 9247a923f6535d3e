#pragma once

// The objects of the model: read from bodies, kept as records, and shown.

#include <string>
#include <string_view>

#include "core/string_pairs.h"
#include "dialects/lcm/resource.h"
#include "dialects/lcm/wire.h"
#include "engine/engine.h"

namespace docket::lcm {

// None: no id of a record, or of one of another family.
const model::Record* find(const engine::Records& records, std::string_view family,
                          std::string_view uuid);

// What a body says of an object: a record without its number.
struct Draft {
  model::Record record;
  StringPairs secrets;  // an empty value clears
};
// For a new object, or a change of `before`: absent members stay as they are, null clears. A
// refusal names every member at fault.
Wire<Draft> read_body(const Resource& resource, Version version, const engine::Records& records,
                      std::string_view body, const model::Record* before);

void write_object(JsonWriter& json, const Resource& resource, const Base& base,
                  const engine::Records& records, const model::Record& record);

}  // namespace docket::lcm
