#pragma once

// Stage 3 of validation: what a schema cannot express (metronome.md section 2). Pure functions over
// nouns.

#include <string>

#include "core/result.h"
#include "dialects/metronome/complaints.h"
#include "dialects/metronome/input.h"

namespace docket::metronome {

void check_job_rules(const JobInput& job, Complaints& complaints);

// `path` is "" for a body of the schedule endpoints, "/schedules(0)" inside a job.
void check_schedule_rules(const model::ScheduleDefinition& schedule, const std::string& path,
                          Complaints& complaints);

// The refusal of a job that has both, even if they arrive in separate requests (section 3, [rule]).
Error dependencies_and_schedules();

}  // namespace docket::metronome
