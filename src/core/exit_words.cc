#include "core/exit_words.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>

namespace docket {

std::string words_of_exit(std::int32_t exit_code, std::int32_t signal) {
  if (signal == 0) return fmt::format("exit code {}", exit_code);
  const char* name = ::sigabbrev_np(signal);
  if (name == nullptr) return fmt::format("killed by signal {}", signal);
  return fmt::format("killed by signal {} (SIG{})", signal, name);
}

}  // namespace docket
