#pragma once

// How a process ended, in the words that every place uses: "exit code 3", "killed by signal 9
// (SIGKILL)".

#include <cstdint>
#include <string>

namespace docket {

// `signal` is 0 for a process that exited by itself. A signal without a name is given by its
// number.
std::string words_of_exit(std::int32_t exit_code, std::int32_t signal);

}  // namespace docket
