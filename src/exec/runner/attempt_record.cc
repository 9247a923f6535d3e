#include "exec/runner/attempt_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace docket::runner {
namespace {

using engine::AttemptPhase;
using engine::AttemptReport;

// The fields of one line, separated by single spaces.
class Fields {
 public:
  explicit Fields(std::string_view line) : rest_(line) {}
  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  template <class Number>
  Number number() {
    const std::string_view text = word();
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  }
  std::string rest() const { return std::string(rest_); }

 private:
  std::string_view rest_;
};

ClaimRecord parse_claim(Fields& in) {
  ClaimRecord claim;
  claim.boot_id = std::string(in.word());
  claim.kill_grace = Duration{in.number<std::int64_t>()};
  claim.disk_mib = in.number<double>();
  claim.mem_mib = in.number<double>();
  claim.slot = in.rest() == "-" ? std::string() : in.rest();
  return claim;
}

StartRecord parse_start(Fields& in) {
  StartRecord start;
  start.pid = in.number<pid_t>();
  start.boot_ns_from = in.number<std::int64_t>();
  start.boot_ns_to = in.number<std::int64_t>();
  start.at = from_micros(in.number<std::int64_t>());
  return start;
}

EndRecord parse_end(Fields& in) {
  EndRecord end;
  end.exit_code = in.number<int>();
  end.signal = in.number<int>();
  end.at = from_micros(in.number<std::int64_t>());
  return end;
}

AttemptReport parse_exit(TaskId token, Fields& in) {
  AttemptReport report{.token = token, .phase = AttemptPhase::kExited};
  report.exit_code = in.number<int>();
  report.signal = in.number<int>();
  report.oom = in.number<int>() != 0;
  report.started_at = from_micros(in.number<std::int64_t>());
  report.finished_at = from_micros(in.number<std::int64_t>());
  report.message = in.rest();
  return report;
}

void apply_line(TaskId token, std::string_view line, AttemptRecord& record) {
  Fields fields(line);
  const std::string_view kind = fields.word();
  if (kind == "claim") record.claim = parse_claim(fields);
  if (kind == "secret") record.secret_paths.push_back(fields.rest());
  if (kind == "spawn") {
    record.spawned = true;
    record.spawned_pid = fields.number<pid_t>();
  }
  if (kind == "start") record.start = parse_start(fields);
  if (kind == "end") record.end = parse_end(fields);
  if (kind == "exit") record.exit = parse_exit(token, fields);
  if (kind == "lost") record.lost = true;
}

std::string on_one_line(std::string_view text) {
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

std::string claim_line(const ClaimRecord& record) {
  return fmt::format("claim {} {} {} {} {}\n", record.boot_id, record.kill_grace.count(),
                     record.disk_mib, record.mem_mib, record.slot.empty() ? "-" : record.slot);
}

std::string secret_line(std::string_view path) {
  return fmt::format("secret {}\n", on_one_line(path));
}

std::string start_line(const StartRecord& record) {
  return fmt::format("start {} {} {} {}\n", record.pid, record.boot_ns_from, record.boot_ns_to,
                     to_micros(record.at));
}

std::string exit_line(const AttemptReport& report) {
  return fmt::format("exit {} {} {} {} {} {}\n", report.exit_code, report.signal, int{report.oom},
                     to_micros(report.started_at), to_micros(report.finished_at),
                     on_one_line(report.message));
}

AttemptRecord parse_record(TaskId token, std::string_view text) {
  AttemptRecord record;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    apply_line(token, text.substr(0, end), record);
    text.remove_prefix(end + 1);
  }
  return record;
}

}  // namespace docket::runner
