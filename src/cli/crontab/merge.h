#pragma once

// What importing a crontab again may change: the lines' jobs, as long as nobody has changed them
// here. A label on each job remembers what the last import made of it, so that a job that people
// changed, a line that was edited, and both can be told apart. Pure.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace docket::cli {

inline constexpr std::string_view kMarkLabel = "docket-import-mark";

// Of what an import says of a job: its command, variables, user, limits and schedules. The same for
// a job that is to be sent and for what the server then shows of it.
std::string mark_of(const boost::json::value& job);

enum class Verdict {
  kAdd,
  kSame,
  kUpdate,    // only the line has changed
  kKeep,      // only the job has
  kConflict,  // both have
};
// `present` is null where there is no such job.
Verdict judge(const boost::json::value& present, const boost::json::object& job);
const char* words_of(Verdict verdict);

// The job to send in the place of `present`: the line's part is new, all else stays.
boost::json::object merged(const boost::json::value& present, const boost::json::object& job);
// The same for a job that is not there yet.
boost::json::object marked(boost::json::object job);

}  // namespace docket::cli
