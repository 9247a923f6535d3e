#pragma once

// What happens to the words of a line before they are parsed.

#include <string>
#include <vector>

namespace docket::cli {

// `docket task run FLAGS -- command ...`: takes the command, and the dashes, off. Nothing of other
// lines.
std::vector<std::string> split_off_command(std::vector<std::string>& words);

// `docket help job run` is `docket job run --help`, `docket ls` is `docket job list`, and so on.
void expand_habits(std::vector<std::string>& words);

// Scripts call `nodetool -h HOST -p PORT -u USER -pw WORD tasks ...`, with these before or behind
// the command. In lines of `docket tasks` host and port become `--url http://HOST:PORT`, and the
// others are dropped, as nodetool ignores them. An -h without a host, at the end or before a
// command or an option, asks for help. Also -ks, which no parser of short options takes for one,
// becomes
// --keyspace.
void translate_connection_options(std::vector<std::string>& words);

}  // namespace docket::cli
