#pragma once

// What is wrong with what a client defines, whatever door it came through. The engine asks, and so
// does it the kind of a job; a store of an older docket may hold such things.
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

// At most so many are told of.
inline constexpr std::size_t kFlawsMax = 100;

// A path is only put together for a flaw.
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

// Of what every definition has.
void check(const JobDefinition& definition, Flaws& flaws);
void check(const RunParameters& parameters, Flaws& flaws);  // "/env/NAME"
void check_labels(const StringPairs& labels, std::string_view path, Flaws& flaws);

// What Linux takes as one argument, or as one variable with its name: MAX_ARG_STRLEN, less its NUL.
inline constexpr std::size_t kExecTextMax = 128 * 1024 - 1;
inline constexpr const char* kExecTextTooLong = "must have at most 131071 bytes";
static_assert(kExecTextMax == 131071);

// Of an environment variable: "must ...", or null.
const char* flaw_of_variable(std::string_view name, std::string_view value);

}  // namespace docket::model
