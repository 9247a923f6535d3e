#pragma once

// What importing a crontab again may change: the jobs of its lines, unless people have changed them
// here. A label on each job records what the last import made of it, so that a changed job, an
// edited line, and both can be told apart. Pure.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace docket::cli {

inline constexpr std::string_view kMarkLabel = "docket-import-mark";

// A mark of what an import sets in a job: command, variables, user, limits and schedules. The same
// for a job to be sent and for the job as the server then shows it.
std::string mark_of(const boost::json::value& job);

enum class Verdict {
  kAdd,
  kSame,
  kUpdate,    // only the line has changed
  kKeep,      // only the job has
  kConflict,  // both have
};
// `present` is null if there is no such job.
Verdict judge(const boost::json::value& present, const boost::json::object& job);
const char* words_of(Verdict verdict);

// The job to send in place of `present`: the line's part is new, everything else stays.
boost::json::object merged(const boost::json::value& present, const boost::json::object& job);
// The same for a job that does not exist yet.
boost::json::object marked(boost::json::object job);

}  // namespace docket::cli
