#pragma once

// Transformations of a command line's words before they are parsed.

#include <string>
#include <vector>

namespace docket::cli {

// `docket task run FLAGS -- command ...`: removes the dashes and the command, and returns the
// command. Leaves other lines alone.
std::vector<std::string> split_off_command(std::vector<std::string>& words);

// `docket help job run` is `docket job run --help`, `docket ls` is `docket job list`, and so on.
void expand_habits(std::vector<std::string>& words);

// Scripts call `nodetool -h HOST -p PORT -u USER -pw WORD tasks ...`, with these options before or
// after the command. In lines of `docket tasks`, host and port become `--url http://HOST:PORT`, and
// the others are dropped, as nodetool ignores them. An -h without a host, at the end or before a
// command or an option, asks for help. -ks, which a parser of short options would not accept,
// becomes --keyspace.
void translate_connection_options(std::vector<std::string>& words);

}  // namespace docket::cli
