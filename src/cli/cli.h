#pragma once

// The client side of the docket program: every subcommand that talks to a server. Start reading at
// command_tree.h, which says what commands there are; job_commands.cc and its neighbours say what
// each does.
//
// Nothing here reads the environment or a clock: app/ fills CliEnvironment, so tests run whole
// commands in process against a fake server. One thread; run_cli returns when the command is done.

#include <iosfwd>
#include <string>
#include <vector>

namespace docket::cli {

class HttpClient;

struct CommandWord {
  std::string name;
  std::string description;
};

struct CliEnvironment {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  std::string url = {};    // DOCKET_URL
  std::string token = {};  // DOCKET_TOKEN, else DCOS_ACS_TOKEN
  std::string home = {};   // HOME; the configuration file is .config/docket/config.toml below it
  std::string timezone = "UTC";  // this machine's zone, in which its crontabs are meant
  std::string version = {};      // printed by --version
  unsigned columns = 0;          // COLUMNS or the terminal's width; 0 is unknown
  bool is_tty = false;           // `out` is a terminal
  HttpClient* http = nullptr;    // borrowed; null: libcurl
  std::vector<CommandWord> server_commands =
      {};  // words that app/ handles itself: for help and completion
};

// Runs one command line. 0 done; 1 the command failed, with `Error: ...` on err; 2 the line makes
// no sense.
int run_cli(int argc, const char* const* argv, const CliEnvironment& environment);

// The first words that run_cli knows, in the order of the help text.
std::vector<CommandWord> command_words();

}  // namespace docket::cli
