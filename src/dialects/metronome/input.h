#pragma once

// Turns bodies into nouns, in the three stages of validation (metronome.md section 2). Only the
// first stage that finds anything reports. Stage 1 is schema.h and job_schema.h, stage 2 is here,
// stage 3 is rules.h.

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "dialects/metronome/job_schema.h"
#include "kinds/process/spec.h"
#include "model/job.h"
#include "model/schedule.h"

namespace docket::metronome {

struct JobInput {
  model::JobDefinition definition;
  std::vector<model::ScheduleDefinition> schedules;
  // For a member of `run` that is docket's own and that the body omits: copies it from the old
  // spec.
  using Keep = void (*)(kinds::ProcessSpec& run, const kinds::ProcessSpec& before);
  std::vector<Keep> omitted = {};
};

// The policy REPLACE and the cron expression @reboot do not belong to this API, but an object that
// is changed may have them already: preserve_omitted() checks.
enum class Purpose { kCreate, kChange };

// Errors are kInvalid with fields.
Result<JobInput> read_job(boost::json::value body, ApiVersion version, Purpose purpose);
Result<model::ScheduleDefinition> read_schedule(boost::json::value body, Purpose purpose);

// What a body omits or cannot express survives a change: locks, limits, what happens to lost
// attempts and missed due times, the policy REPLACE, @reboot. `path` is the schedule's in the body;
// `before` is null for a new one. kInvalid: REPLACE or @reboot for one that had something else.
void preserve_omitted(JobInput& job, const model::JobDefinition& before);
Result<> preserve_omitted(model::ScheduleDefinition& schedule,
                          const model::ScheduleDefinition* before, const std::string& path);

}  // namespace docket::metronome
