#pragma once

// How a process ended, in the words that every place uses: "exit code 3", "killed by signal 9
// (SIGKILL)".

#include <cstdint>
#include <string>

namespace docket {

// `signal` is 0 for a process that exited by itself. Signals without a name have their number
// alone.
std::string words_of_exit(std::int32_t exit_code, std::int32_t signal);

}  // namespace docket
