#pragma once

// JSON of the nouns that both the store and the doors need: the `run` object of a process job, in
// the field names and order of DC/OS Jobs (reference/metronome.md section 3), every default written
// out, absent optionals omitted.

#include <boost/json/fwd.hpp>

#include "core/json_writer.h"
#include "core/result.h"
#include "model/process_spec.h"

namespace docket::model {

void write_process_spec(JsonWriter& out,
                        const ProcessSpec& spec);  // one object; `locks`, `onLost`, `limits` only
                                                   // when they say something

// Reads what write_process_spec wrote, or a client's object. Absent members take their defaults; a
// member of the wrong type or value is a FieldError with a path such as "/run/artifacts(0)/uri"
// (prefix given by the caller).
Result<ProcessSpec> read_process_spec(const boost::json::value& value,
                                      const std::string& path_prefix);

void write_string_map(JsonWriter& out, const StringPairs& pairs);

}  // namespace docket::model
