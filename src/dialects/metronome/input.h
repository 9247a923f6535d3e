#pragma once

// Bodies to nouns: the three stages of validation in order (metronome.md section 2). Only the first
// stage that finds anything reports. Stage 1 is schema.h and job_schema.h, stage 2 is here, stage 3
// is rules.h.

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "core/result.h"
#include "dialects/metronome/job_schema.h"
#include "model/job.h"
#include "model/schedule.h"

namespace docket::metronome {

struct JobInput {
  model::JobDefinition definition;
  std::vector<model::ScheduleDefinition> schedules;
};

// Errors are kInvalid with fields.
Result<JobInput> read_job(boost::json::value body, ApiVersion version);
Result<model::ScheduleDefinition> read_schedule(boost::json::value body);

}  // namespace docket::metronome
