#pragma once

// Nouns as this API's JSON. Members come in the order of the original (metronome.md sections 3, 4
// and 7).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/json_writer.h"
#include "core/time.h"
#include "dialects/metronome/status.h"
#include "engine/engine.h"
#include "engine/store.h"

namespace docket::metronome {

// ---- jobs

struct Embeds {
  bool active_runs = false;
  bool history = false;
  bool history_summary = false;
};

// The parts of a job's JSON, independent of the engine: a whole job, or a section of one with many
// active runs.
struct JobPart {
  model::JobPtr job;
  model::JobStats stats;
  std::vector<model::Schedule> schedules = {};  // by id
  bool shows_runs = false;
  std::string runs = {};  // active ones, as JSON without brackets
  bool begins = true;
  bool ends = true;
};

struct JobShape {
  Embeds embeds;
  Time now;                          // for the next due times
  engine::Reader* reader = nullptr;  // needed with embeds.history
  std::uint32_t history_limit = 0;   // finished runs of each kind
};

void write_job_spec(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                    Time now);
// Any thread.
Result<> write_job_part(JsonWriter& json, const JobPart& part, const JobShape& shape);
// The same for a job shown without its runs, straight from the engine.
void write_plain_job(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     bool with_summary, Time now);
// A definition by itself: all that an event can show of a job.
void write_definition(JsonWriter& json, const model::JobDefinition& definition);

// ---- schedules

void write_schedule(JsonWriter& json, const model::Schedule& schedule, Time now);
void write_schedules(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     Time now);

// ---- runs

// `attempts` in order of creation. A non-empty `reason` is shown as `message`, which the original
// does not have.
void write_run(JsonWriter& json, std::string_view job_id, const model::Task& run, RunStatus status,
               const std::vector<const model::Task*>& attempts, std::string_view reason = {});
void write_run(JsonWriter& json, const engine::Node& run);  // a live one

}  // namespace docket::metronome
