// exec/runner/attempt_record: records as a crash may leave them. What is read can be written
// again, and a line without its newline does not count.

#include "exec/runner/attempt_record.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

using runner::AttemptRecord;

constexpr TaskId kToken{7};

// The record's facts as lines, in the order in which they are written.
std::string written(const AttemptRecord& record) {
  std::string text;
  if (record.claim) text += runner::claim_line(*record.claim);
  for (const std::string& path : record.secret_paths) text += runner::secret_line(path);
  if (record.spawned) {
    text += std::string(runner::kSpawnWord) + std::to_string(record.spawned_pid) + "\n";
  }
  if (record.start) text += runner::start_line(*record.start);
  if (record.end) {
    text += std::string(runner::kEndWord) + std::to_string(record.end->exit_code) + " " +
            std::to_string(record.end->signal) + " " + std::to_string(to_micros(record.end->at)) +
            "\n";
  }
  if (record.exit) text += runner::exit_line(*record.exit);
  if (record.lost) text += runner::kLostLine;
  return text;
}

void run(std::string_view input) {
  const AttemptRecord record = runner::parse_record(kToken, input);
  if (record.exit) require(record.exit->token == kToken, "a report is of its token");
  const std::string text = written(record);
  require(written(runner::parse_record(kToken, text)) == text, "written and read is the same",
          text);
  const auto whole_lines = input.substr(0, input.rfind('\n') + 1);
  require(written(runner::parse_record(kToken, whole_lines)) == text,
          "a line counts only with its newline", text);
  for (std::size_t size = 0; size < text.size(); size += 1 + text.size() / 16) {
    const auto cut = runner::parse_record(kToken, std::string_view(text).substr(0, size));
    require(text.starts_with(written(cut)), "a record cut short is the beginning of the record",
            text);
  }
}

const Target kTarget("attempt_record", run);

}  // namespace
}  // namespace docket::fuzz
