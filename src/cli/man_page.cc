#include "cli/man_page.h"

#include <ostream>

namespace docket::cli {
namespace {

// A dot or an apostrophe at the start of a line, and backslashes, are special to roff.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool at_start = out.empty() || out.back() == '\n';
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string value_of(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return {};
  const std::string type = option.get_type_name();
  return type.empty() ? "VALUE" : type;
}

// `-q, --quiet`, `--url URL`
std::string flag_line(const CLI::Option& option) {
  std::string out;
  for (const std::string& name : option.get_snames()) out += (out.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) out += (out.empty() ? "--" : ", --") + name;
  const std::string value = value_of(option);
  return ".TP\n.B " + escaped(out) + (value.empty() ? "" : " \\fI" + escaped(value) + "\\fR") +
         "\n" + escaped(option.get_description()) + "\n";
}

std::string usage(const CLI::App& app, const std::string& name) {
  std::string out = ".SS " + escaped(name) + "\n\\fB" + escaped(name) + "\\fR";
  for (const CLI::Option* option :
       app.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
    const std::string word = "\\fI" + escaped(option->get_name(true)) + "\\fR";
    out += option->get_required() ? " " + word : " [" + word + "]";
  }
  return out + "\n.PP\n" + escaped(app.get_description()) + ".\n";
}

std::string flags_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      out += ".TP\n.I " + escaped(option->get_name(true)) + "\n" +
             escaped(option->get_description()) + "\n";
    } else if (option != app.get_help_ptr()) {
      out += flag_line(*option);
    }
  }
  return out;
}

// A group without an action has only its subcommands.
void add_commands(std::string& out, const CLI::App& app, const std::string& name) {
  const auto children = app.get_subcommands([](const CLI::App*) { return true; });
  const bool acts =
      children.empty() ||
      !app.get_options([](const CLI::Option* o) { return o->get_positional(); }).empty();
  if (acts) {
    out += usage(app, name) + flags_of(app);
    const std::string footer = app.get_footer();
    if (!footer.empty()) out += ".PP\n.nf" + escaped(footer) + "\n.fi\n";
  }
  for (const CLI::App* child : children) add_commands(out, *child, name + " " + child->get_name());
}

constexpr const char* kEnd = R"roff(.SH ENVIRONMENT
.TP
.B DOCKET_URL
The server, if \-\-url is not given.
.TP
.BR DOCKET_TOKEN , " DCOS_ACS_TOKEN"
The token for a server with an access list.
.TP
.B DOCKET_TASK
The task that the program is part of; set for commands that \fBdocket task run\fR wraps.
.TP
.B NO_COLOR
No colours, even on a terminal.
.SH FILES
.TP
.I ~/.config/docket/config.toml
\fBurl\fR and \fBtoken\fR, if they are not given otherwise.
.SH EXIT STATUS
0: success. 1: the command failed, or \fBdocket job\fR did not understand the command line. 2: any
other command line is invalid. \fBdocket tasks\fR has the exit codes of nodetool,
\fBdocket task run\fR those of its command.
)roff";

}  // namespace

std::string man_page(const CommandTree& tree, const CliEnvironment& env) {
  std::string out = ".TH DOCKET 1 \"\" \"" + escaped(env.version) + "\"\n.SH NAME\ndocket \\- " +
                    "a durable job server, and its command line\n.SH SYNOPSIS\n.B docket\n" +
                    "[\\fIflags\\fR] \\fIcommand\\fR ...\n.SH DESCRIPTION\n" +
                    escaped(tree.root().get_description()) + "\n.SH FLAGS OF ALL COMMANDS\n" +
                    flags_of(tree.root()) + ".SH COMMANDS\n";
  for (const CLI::App* app : tree.root().get_subcommands([](const CLI::App*) { return true; })) {
    add_commands(out, *app, "docket " + app->get_name());
  }
  return out + kEnd;
}

void add_man_command(CommandTree& tree) {
  tree.local(tree.root(), "man", "Print the manual page, for `man -l -`",
             [&tree](const CliEnvironment& env) -> Result<void> {
               env.out << man_page(tree, env);
               return {};
             });
}

}  // namespace docket::cli
