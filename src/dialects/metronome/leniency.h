#pragma once

// Corrects mistakes of the `dcos job` command line that users should not suffer for (metronome.md
// sections 4 and 11). Rewrites a body before validation; bodies of other shapes are left to the
// schema.

#include <boost/json/fwd.hpp>

namespace docket::metronome {

void correct_job(boost::json::value& body);  // `cmd:""` beside a container; `timeZone` in schedules
void correct_schedule(boost::json::value& body);  // `timeZone` stands for an absent `timezone`

}  // namespace docket::metronome
