#pragma once

// The shapes of bodies that clients may send: metronome.md sections 3 and 4 as tables.

#include "dialects/metronome/schema.h"

namespace docket::metronome {

enum class ApiVersion { kV0, kV1 };

const Schema& job_schema(ApiVersion version);  // v0 does not know taskKillGracePeriodSeconds
const Schema& schedule_schema();               // body of the schedule endpoints

}  // namespace docket::metronome
