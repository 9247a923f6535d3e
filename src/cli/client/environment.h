#pragma once

// What a command knows of where it runs. Nothing below cli/ reads the environment or a clock: app/
// fills CliEnvironment, so tests run whole commands in process against a fake server.

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

// What else a command may want of the machine.
class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::chrono::milliseconds elapsed() = 0;  // since some instant; never steps
  virtual void pause(std::chrono::milliseconds time) = 0;
  virtual std::uint64_t random() = 0;  // uniform over 64 bits
  // Splits this process: true in a copy of it that nobody waits for and that writes nowhere.
  virtual bool leave_behind() = 0;
  // Columns and rows of the terminal, as they are now; 0 is unknown.
  virtual std::pair<unsigned, unsigned> terminal() = 0;
};

struct CliEnvironment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::string url = {};    // DOCKET_URL
  std::string token = {};  // DOCKET_TOKEN, else DCOS_ACS_TOKEN
  std::string home = {};   // HOME; the configuration file is .config/docket/config.toml below it
  std::string timezone = "UTC";  // this machine's zone: of its crontabs, and of times that it shows
  bool utc = false;              // --utc: times are shown and read in UTC
  Time now = kNever;             // when the program was started: what "24h ago" counts from
  std::string version = {};      // printed by --version
  unsigned columns = 0;          // COLUMNS or the terminal's width; 0 is unknown
  bool is_tty = false;           // `out` is a terminal
  bool colours = false;          // and it may be coloured: NO_COLOR is not set
  std::string task = {};         // DOCKET_TASK: the task that this program is part of
  Machine* machine = nullptr;    // borrowed; commands that wait or draw lots need it
  HttpClient* http = nullptr;    // borrowed; null: libcurl
  // Adds the commands that work on the server's own files, which app/ has.
  std::function<void(CommandTree&)> server_commands = {};
};

}  // namespace docket::cli
