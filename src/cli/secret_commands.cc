// docket secret put|list|remove. Values come from standard input or a file, never from the command
// line, which every user of the machine can see in the process list.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <ostream>

#include "cli/client/command_tree.h"
#include "cli/client/input.h"
#include "cli/client/json_access.h"
#include "cli/client/native_calls.h"
#include "cli/client/table.h"
#include "cli/client/times.h"
#include "core/json_writer.h"
#include "core/utf8.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

// The parsed arguments; shared by the parser, which fills them, and the actions, which read them.
struct SecretFlags {
  std::string path;
  std::string file;
  ListFormat format;
};

// Slashes separate the segments of a secret's path.
std::string secret_path(const std::string& path) {
  std::string out = "/secrets";
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) out += "/" + encode_segment(std::string_view(path).substr(at, end - at));
    at = end + 1;
  }
  return out;
}

Result<void> put_secret(const CliEnvironment& env, ServerApi& server, const SecretFlags& flags) {
  auto value = read_input(env, flags.file);
  if (!value) return fail(value.error());
  // `echo value |` adds a newline that is not meant; a file is taken as it is.
  if (flags.file.empty() && value->ends_with('\n')) value->pop_back();
  if (!is_utf8(*value)) return fail(ErrorKind::kInvalid, "the value is not UTF-8 text");
  const json::value body = json::object({{"value", *value}});
  const auto put = server.call(
      {.door = Door::kNative, .method = "PUT", .path = secret_path(flags.path), .body = &body});
  if (!put) return fail(put.error());
  return {};
}

Result<void> list_secrets(const CliEnvironment& env, ServerApi& server, const SecretFlags& flags) {
  const auto secrets = all_items(server, "/secrets?limit=500");
  if (!secrets) return fail(secrets.error());
  if (flags.format.json && !flags.format.quiet) {
    env.out << to_pretty_json(json::value(*secrets)) << '\n';
    return {};
  }
  Table table({"PATH", "UPDATED"});
  for (const json::value& secret : *secrets) {
    if (flags.format.quiet) env.out << text_at(secret, "path") << '\n';
    table.add({text_at(secret, "path"), shown_time(env, text_at(secret, "updatedAt"))});
  }
  if (!flags.format.quiet) table.print(env);
  return {};
}

Result<void> remove_secret(ServerApi& server, const SecretFlags& flags) {
  const auto removed =
      server.call({.door = Door::kNative, .method = "DELETE", .path = secret_path(flags.path)});
  if (removed) return {};
  Error error = removed.error();
  if (error.kind == ErrorKind::kNotFound) {
    error.message = "secret \"" + flags.path + "\" does not exist";
  }
  return fail(std::move(error));
}

}  // namespace

void add_secret_commands(CommandTree& tree) {
  const auto flags = std::make_shared<SecretFlags>();
  CLI::App& secret = tree.group(tree.root(), "secret", "Manage the secrets that jobs use");

  CLI::App& put = tree.command(secret, "put", "Store a secret, read from standard input",
                               [flags](const CliEnvironment& env, ServerApi& server) {
                                 return put_secret(env, server, *flags);
                               });
  named_id(put, "path", flags->path, "Its path, as `source` in a job's `secrets` names it");
  put.add_option("--file", flags->file, "Read the value from this file, every byte")
      ->type_name("FILE");
  put.footer("\nExample: printf %s \"$PASSWORD\" | docket secret put prod/password");

  CLI::App& list =
      tree.command(secret, "list", "List the paths of the secrets; values never leave the server",
                   [flags](const CliEnvironment& env, ServerApi& server) {
                     return list_secrets(env, server, *flags);
                   });
  list.alias("ls");
  add_format_flags(list, flags->format);

  CLI::App& remove = tree.command(
      secret, "remove", "Remove a secret",
      [flags](const CliEnvironment&, ServerApi& server) { return remove_secret(server, *flags); });
  remove.alias("rm");
  named_id(remove, "path", flags->path, "Its path");
}

}  // namespace docket::cli
