#pragma once

// Reads a crontab as Debian's cron (Vixie cron) does: crontab(5). A line that cron would run and
// docket can run becomes an entry; one that docket cannot is refused with the line and the reason;
// settings that have no meaning here are noted.
//
// Pure: text in, values out. Tested by crontab_test.cc.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace docket::cli {

enum class CrontabForm {
  kUser,    // crontab -e: five fields and the command
  kGuess,   // as kUser, but a line whose command begins with a known user's name is refused
  kSystem,  // /etc/crontab, /etc/cron.d: the user's name precedes the command
};

// Cron runs a line when day-of-month OR day-of-week match if both are restricted, docket when both
// match. Such a line takes two of these: the days of the month, and the weekdays on all other days,
// so that no day is in both.
struct CrontabTime {
  std::string suffix;  // "", and "dow" for the second
  std::string cron;    // in docket's normal form
};

using Variables = std::vector<std::pair<std::string, std::string>>;

struct CrontabEntry {
  std::size_t line = 0;     // from 1
  std::string source = {};  // the line as written
  std::vector<CrontabTime> times = {};
  std::string user = {};     // empty in the user form
  std::string command = {};  // with \% turned into %
  // Standard input: the text after the first unescaped %, with the others as newlines.
  std::optional<std::string> input = {};
  Variables variables = {};   // in force at this line, including PATH and HOME
  std::string shell = {};     // SHELL; empty is /bin/sh
  std::string timezone = {};  // CRON_TZ; empty is the machine's
};

struct CrontabRemark {
  std::size_t line = 0;
  std::string text;
  bool operator==(const CrontabRemark&) const = default;
};

struct Crontab {
  std::vector<CrontabEntry> entries;
  std::vector<CrontabRemark> refused;
  std::vector<CrontabRemark> notes;
};

// `users` are this machine's users, for kGuess.
Crontab parse_crontab(std::string_view text, CrontabForm form,
                      const std::vector<std::string>& users = {});

}  // namespace docket::cli
