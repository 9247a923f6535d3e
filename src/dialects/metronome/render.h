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

// A single job always shows activeRuns; a list leaves the key out of jobs without any, since both
// command lines take its presence for "Running" (section 3, "a trap").
enum class Listing { kSingle, kList };

// A place in a rendered body where finished runs belong, to be read off the strand.
struct HistoryGap {
  std::size_t offset = 0;
  JobUid job;
  std::string job_id;
  bool succeeded = true;
};

// A body, perhaps with gaps, in order of their offsets.
struct Draft {
  std::string body;
  std::vector<HistoryGap> gaps;
};

void write_job_spec(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                    Time now);
// `json` must write to draft.body.
void write_job_info(JsonWriter& json, Draft& draft, const engine::JobEntry& entry,
                    const engine::Engine& engine, const Embeds& embeds, Listing listing, Time now);
// A definition by itself: what an event can show of a job.
void write_definition(JsonWriter& json, const model::JobDefinition& definition);

// Fills the gaps; any thread.
Result<std::string> fill_gaps(Draft draft, engine::Reader& reader, std::uint32_t limit);

// ---- schedules

void write_schedule(JsonWriter& json, const model::Schedule& schedule, const engine::Engine& engine,
                    Time now);
void write_schedules(JsonWriter& json, const engine::JobEntry& entry, const engine::Engine& engine,
                     Time now);

// ---- runs

// `attempts` in order of creation.
void write_run(JsonWriter& json, std::string_view job_id, const model::Task& run, RunStatus status,
               const std::vector<const model::Task*>& attempts);
void write_run(JsonWriter& json, const engine::Node& run);  // a live one

}  // namespace docket::metronome
