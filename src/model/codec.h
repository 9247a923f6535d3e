#pragma once

// JSON of the nouns that both the store and the doors need: the `run` object of a process job, in
// the field names and order of DC/OS Jobs (reference/metronome.md section 3), every default written
// out, absent optionals omitted.

#include "core/json_reader.h"
#include "core/json_writer.h"
#include "model/process_spec.h"

namespace docket::model {

void write_process_spec(JsonWriter& out,
                        const ProcessSpec& spec);  // one object; `locks`, `onLost`, `limits` only
                                                   // when they say something

// Reads what write_process_spec wrote, or a client's object. Absent members take their defaults.
ProcessSpec read_process_spec(JsonReader& in);

}  // namespace docket::model
