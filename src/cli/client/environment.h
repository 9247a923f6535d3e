#pragma once

// What a command knows about its surroundings. Nothing below cli/ reads the environment or a clock:
// app/ fills CliEnvironment, so tests run whole commands in process against a fake server.

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"

namespace docket::cli {

class CommandTree;
class HttpClient;

// Other services of the machine that a command may need.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::chrono::milliseconds elapsed() = 0;  // since some instant; never steps
  virtual void pause(std::chrono::milliseconds time) = 0;
  virtual std::uint64_t random() = 0;  // uniform over 64 bits
  // Forks this process: true in the copy, which nobody waits for and which writes nowhere.
  virtual bool fork_detached() = 0;
  // Columns and rows of the terminal at present; 0 is unknown.
  virtual std::pair<unsigned, unsigned> terminal() = 0;
};

struct CliEnvironment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::string url = {};    // DOCKET_URL
  std::string token = {};  // DOCKET_TOKEN, else DCOS_ACS_TOKEN
  std::string home = {};   // HOME; the configuration file is .config/docket/config.toml below it
  std::string timezone = "UTC";  // this machine's zone, for its crontabs and for shown times
  bool utc = false;              // --utc: times are shown and read in UTC
  Time now = kNever;             // when the program was started; "24h" means before this
  std::string version = {};      // printed by --version
  unsigned columns = 0;          // COLUMNS or the terminal's width; 0 is unknown
  bool is_tty = false;           // `out` is a terminal
  bool colours = false;          // and colours are allowed: NO_COLOR is not set
  std::string task = {};         // DOCKET_TASK: the task that this program is part of
  Machine* machine = nullptr;    // borrowed; needed by commands that wait or need randomness
  HttpClient* http = nullptr;    // borrowed; null: libcurl
  // Adds the commands that work on the server's own files, which are in app/.
  std::function<void(CommandTree&)> server_commands = {};
};

}  // namespace docket::cli
