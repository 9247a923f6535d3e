#pragma once

// What is wrong with a client's definition, whichever door it came through. The engine checks, and
// asks the job's kind too. A store of an older docket may hold definitions with flaws.
//
// Paths are those of JSON, an element in brackets: "/run/artifacts(0)/uri".

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "core/text.h"
#include "model/job.h"
#include "model/task.h"

namespace docket::model {

// At most this many are reported.
inline constexpr std::size_t kFlawsMax = 100;

// A path is built only for a flaw.
class Flaws {
 public:
  template <class... Args>
  void check(std::string_view text, TextUse use, fmt::format_string<Args...> path,
             const Args&... args) {
    if (const char* flaw = flaw_of(text, use)) add(flaw, path, args...);
  }
  template <class... Args>
  void add(std::string flaw, fmt::format_string<Args...> path, const Args&... args) {
    if (fields_.size() == kFlawsMax) return;
    fields_.push_back({fmt::vformat(path, fmt::make_format_args(args...)), {std::move(flaw)}});
  }
  std::vector<FieldError> take() { return std::move(fields_); }

 private:
  std::vector<FieldError> fields_;
};

// Checks what every definition has.
void check(const JobDefinition& definition, Flaws& flaws);
void check(const RunParameters& parameters, Flaws& flaws);  // "/env/NAME"
void check_labels(const StringPairs& labels, std::string_view path, Flaws& flaws);

// The longest argument, or variable with its name, that Linux takes: MAX_ARG_STRLEN, less its NUL.
inline constexpr std::size_t kExecTextMax = 128 * 1024 - 1;
inline constexpr const char* kExecTextTooLong = "must have at most 131071 bytes";
static_assert(kExecTextMax == 131071);

// What is wrong with an environment variable: "must ...", or null.
const char* flaw_of_variable(std::string_view name, std::string_view value);

}  // namespace docket::model
