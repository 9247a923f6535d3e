#include "cli/crontab/crontab.h"

#include <algorithm>
#include <array>

#include "cli/crontab/time.h"
#include "core/text.h"
#include "core/utf8.h"
#include "core/zone.h"

namespace docket::cli {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view skip_blanks(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kBlanks), text.size()));
}

std::string_view trim_end(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Removes the next word from `rest`; empty at the end.
std::string_view take_word(std::string_view& rest) {
  rest = skip_blanks(rest);
  const std::string_view word = rest.substr(0, std::min(rest.find_first_of(kBlanks), rest.size()));
  rest.remove_prefix(word.size());
  return word;
}

std::string unquote(std::string_view text) {
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
      text.back() == text.front()) {
    text = text.substr(1, text.size() - 2);
  }
  return std::string(text);
}

// Tabs count as spaces, even in a name.
const char* flaw_of_line(std::string_view line) {
  std::string text(line);
  std::erase(text, '\t');
  return flaw_of(text, TextUse::kName);
}

struct Assignment {
  std::string name;
  std::string value;
};

// NAME = value, either of them quoted or not. Cron expands nothing in the value.
std::optional<Assignment> assignment_of(std::string_view line) {
  std::size_t end = 0;
  if (line.front() == '"' || line.front() == '\'') {
    end = line.find(line.front(), 1);
    if (end == line.npos) return std::nullopt;
    ++end;
  } else {
    end = std::min(line.find_first_of(" \t="), line.size());
  }
  const std::string_view rest = skip_blanks(line.substr(end));
  if (end == 0 || !rest.starts_with('=')) return std::nullopt;
  return Assignment{unquote(line.substr(0, end)), unquote(trim_end(skip_blanks(rest.substr(1))))};
}

struct CommandText {
  std::string command;
  std::optional<std::string> input;
};

// In the input every unescaped % is a newline, and a backslash only escapes a %.
std::string input_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '\\' && i + 1 < text.size() && text[i + 1] == '%';
    if (escaped) ++i;
    out.push_back(!escaped && text[i] == '%' ? '\n' : text[i]);
  }
  return out;
}

// The command ends at the first unescaped %; \% becomes %, any other backslash pair stays.
CommandText split_command(std::string_view text) {
  CommandText out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      out.input = input_text(text.substr(i + 1));
      break;
    }
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      if (text[i] != '%') out.command.push_back('\\');
    }
    out.command.push_back(text[i]);
  }
  return out;
}

class Reader {
 public:
  Reader(CrontabForm form, const std::vector<std::string>& users) : form_(form), users_(users) {}

  void read_line(std::size_t number, std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = skip_blanks(line);
    number_ = number;
    if (line.empty() || line.front() == '#') return;
    if (!is_utf8(line)) return refuse("is not UTF-8");
    if (const char* flaw = flaw_of_line(line)) return refuse(flaw);
    if (const auto assignment = assignment_of(line)) return assign(*assignment);
    if (auto entry = read_entry(line)) {
      crontab_.entries.push_back(*std::move(entry));
    } else {
      refuse(entry.error().message);
    }
  }

  Crontab finish() { return std::move(crontab_); }

 private:
  void refuse(std::string why) { crontab_.refused.push_back({number_, std::move(why)}); }
  void note(std::string text) { crontab_.notes.push_back({number_, std::move(text)}); }

  void assign(const Assignment& variable) {
    const auto& [name, value] = variable;
    if (name.empty() || name.find('=') != name.npos || flaw_of(name, TextUse::kName)) {
      return refuse("has no valid variable name");
    }
    if (name == "MAILTO" || name == "MAILFROM") {
      return note(name + " is ignored: docket keeps the output, see `docket task log`");
    }
    if (name == "RANDOM_DELAY" || name == "LOGNAME") return note(name + " is ignored");
    if (name == "CRON_TZ") return set_timezone(value);
    if (name == "SHELL") shell_ = value == "/bin/sh" ? "" : value;
    const auto known = std::find_if(variables_.begin(), variables_.end(),
                                    [&](const auto& pair) { return pair.first == name; });
    if (known == variables_.end()) {
      variables_.emplace_back(name, value);
    } else {
      known->second = value;
    }
  }

  void set_timezone(const std::string& value) {
    if (!value.empty() && !Zone::find(value))
      return refuse("CRON_TZ " + value + " is not a known time zone");
    timezone_ = value;
  }

  Result<CrontabEntry> read_entry(std::string_view line) {
    CrontabEntry entry{.line = number_, .source = std::string(trim_end(line))};
    std::string_view rest = line;
    auto times = read_times(rest);
    if (!times) return fail(times.error());
    entry.times = *std::move(times);
    if (form_ == CrontabForm::kSystem) entry.user = take_word(rest);
    auto [command, input] = split_command(trim_end(skip_blanks(rest)));
    if (skip_blanks(command).empty()) return fail(ErrorKind::kInvalid, missing_command());
    if (form_ == CrontabForm::kGuess && begins_with_user(command)) {
      return fail(ErrorKind::kInvalid, "begins with the user \"" +
                                           command.substr(0, command.find_first_of(kBlanks)) +
                                           "\": use --user-column for a system's crontab, "
                                           "--no-user-column if that is a command");
    }
    entry.command = std::move(command);
    entry.input = std::move(input);
    entry.variables = variables_;
    entry.shell = shell_;
    entry.timezone = timezone_;
    return entry;
  }

  static Result<std::vector<CrontabTime>> read_times(std::string_view& rest) {
    if (rest.starts_with('@')) return translate_macro(take_word(rest));
    std::array<std::string, 5> fields;
    for (std::string& field : fields) field = take_word(rest);
    if (fields.back().empty())
      return fail(ErrorKind::kInvalid, "is neither a time with a command nor NAME=value");
    return translate_fields(fields);
  }

  // A user name followed by a command; not `mail -s ...`, where the name is the command.
  bool begins_with_user(std::string_view command) const {
    const std::string_view first = take_word(command);
    const std::string_view second = take_word(command);
    return !second.empty() && !second.starts_with('-') &&
           std::find(users_.begin(), users_.end(), first) != users_.end();
  }

  std::string missing_command() const {
    return form_ == CrontabForm::kSystem ? "has no command after the user (is this a user's "
                                           "crontab? then omit --user-column)"
                                         : "has no command";
  }

  CrontabForm form_;
  const std::vector<std::string>& users_;
  std::size_t number_ = 0;
  Variables variables_;
  std::string shell_;
  std::string timezone_;
  Crontab crontab_;
};

}  // namespace

Crontab parse_crontab(std::string_view text, CrontabForm form,
                      const std::vector<std::string>& users) {
  Reader reader(form, users);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    reader.read_line(++number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

}  // namespace docket::cli
