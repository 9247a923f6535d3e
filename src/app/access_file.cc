#include "app/access_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/suggestion.h"
#include "core/json_writer.h"
#include "dialects/metronome/access.h"
#include "dialects/native/native.h"
#include "dialects/scylla/scylla.h"

namespace docket::app {
namespace {

Result<toml::table> parse(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, error.description()));
  }
}

// "prod/email": like job ids, but with slashes.
bool is_job_path(std::string_view text) {
  if (text.find("//") != std::string_view::npos || text.starts_with('/') || text.ends_with('/'))
    return false;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
  };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

// A permission for a whole family ("docket full") covers its resources.
bool is_known_resource(std::string_view resource) {
  const std::string jobs = std::string(metronome::kJobsResource) + ":";
  if (resource.starts_with(jobs)) return is_job_path(resource.substr(jobs.size()));
  return std::ranges::any_of(known_resources(), [resource](const std::string& known) {
    return http::covers(resource, known);
  });
}

Result<> grant(http::Identity& identity, const std::string& permission) {
  if (auto granted = identity.grant(permission); !granted) return granted;
  const std::string resource = permission.substr(0, permission.find(' '));
  if (is_known_resource(resource)) return {};
  if (resource.starts_with(std::string(metronome::kJobsResource) + ":")) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{}: a group or job is named by its words with slashes between them, "
                            "as in jobs:prod/email",
                            resource));
  }
  const auto meant = cli::nearest(resource, known_resources());
  return fail(
      ErrorKind::kInvalid,
      fmt::format(
          "no such resource: {}{}", resource,
          meant ? fmt::format("; did you mean {}?", *meant)
                : fmt::format("; the resources are {} (the last may be followed by :GROUP/JOB)",
                              fmt::join(known_resources(), ", "))));
}

std::vector<std::string> permissions_of(const toml::table& entry) {
  std::vector<std::string> permissions;
  if (const toml::array* list = entry["permissions"].as_array()) {
    for (const toml::node& each : *list) permissions.push_back(each.value_or(std::string()));
  }
  return permissions;
}

// Adds a table of the file as an identity, under its token's digest.
Result<> add_entry(http::AccessList& list, const toml::table& entry) {
  for (const auto& [key, value] : entry) {
    if (key == "name" || key == "token-sha256" || key == "permissions") continue;
    return fail(ErrorKind::kInvalid, fmt::format("unknown key {}", key.str()));
  }
  const auto name = entry["name"].value<std::string>();
  const auto digest = entry["token-sha256"].value<std::string>();
  if (!name || name->empty()) return fail(ErrorKind::kInvalid, "a user without a name");
  if (!digest) return fail(ErrorKind::kInvalid, "token-sha256 is missing");
  if (!entry["permissions"].is_array())
    return fail(ErrorKind::kInvalid, "permissions is missing, or not a list");
  http::Identity identity(*name);
  for (const std::string& permission : permissions_of(entry)) {
    if (auto granted = grant(identity, permission); !granted) return granted;
  }
  return list.add(*digest, std::make_shared<const http::Identity>(std::move(identity)));
}

std::string name_of(const toml::node& entry) {
  const toml::table* table = entry.as_table();
  return table ? (*table)["name"].value_or(std::string("?")) : "?";
}

// Without padding: 32 bytes are 43 digits.
std::string base64url(const std::array<std::uint8_t, 32>& bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned held = 0;
  int bits = 0;
  for (const std::uint8_t byte : bytes) {
    held = (held << 8U) | byte;
    for (bits += 8; bits >= 6; bits -= 6) text.push_back(kDigits[(held >> (bits - 6)) & 63U]);
  }
  text.push_back(kDigits[(held << (6 - bits)) & 63U]);
  return text;
}

std::string new_token(Random& random) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = random.next();
    for (std::size_t j = 0; j < 8; ++j, word >>= 8U) bytes[i + j] = static_cast<std::uint8_t>(word);
  }
  return base64url(bytes);
}

// A JSON string is also a TOML basic string.
std::string quoted(const std::string& text) {
  std::string out;
  JsonWriter(out).value(text);
  return out;
}

std::string entry_text(const std::string& name, const std::string& token,
                       const std::vector<std::string>& permissions) {
  std::string text = fmt::format("\n[[user]]\nname = {}\ntoken-sha256 = \"{}\"\npermissions = [",
                                 quoted(name), http::token_digest(token));
  for (const std::string& permission : permissions) {
    text += (text.back() == '[' ? "" : ", ") + quoted(permission);
  }
  return text + "]\n";
}

Result<> append(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool done = fd >= 0 &&
                    ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(fd) == 0;
  const int cause = errno;
  if (fd >= 0) ::close(fd);
  if (done) return {};
  return fail(ErrorKind::kUnavailable,
              fmt::format("cannot write {}: {}", path, std::generic_category().message(cause)));
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in) return text;
  return fail(ErrorKind::kUnavailable, fmt::format("cannot read {}", path));
}

// In one step of the file system. A server that runs as another user must still be able to read it.
Result<> replace(const std::string& path, const std::string& text) {
  const std::string draft = path + ".new";
  struct stat old{};
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  const bool done = fd >= 0 && ::stat(path.c_str(), &old) == 0 &&
                    ::fchown(fd, old.st_uid, old.st_gid) == 0 &&
                    ::fchmod(fd, old.st_mode & 07777) == 0 &&
                    ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(fd) == 0 && ::rename(draft.c_str(), path.c_str()) == 0;
  const int cause = errno;
  if (fd >= 0) ::close(fd);
  if (done) return {};
  ::unlink(draft.c_str());
  return fail(ErrorKind::kUnavailable,
              fmt::format("cannot write {}: {}", path, std::generic_category().message(cause)));
}

bool is_remark(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

// The text without lines `from` to before `to`, counted from 1. Comments above line `to` stay with
// it.
std::string without_lines(const std::string& text, std::size_t from, std::size_t to) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(std::move(line));
  std::size_t end = std::min(to - 1, lines.size());
  while (to - 1 < lines.size() && end > from && is_remark(lines[end - 1])) --end;
  lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(from - 1),
              lines.begin() + static_cast<std::ptrdiff_t>(end));
  return lines.empty() ? "" : fmt::format("{}\n", fmt::join(lines, "\n"));
}

Result<> check_new(const std::string& path, const std::string& name,
                   const std::vector<std::string>& permissions) {
  if (permissions.empty()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("say what {0} may do: --superuser for everything, or --permission "
                            "'RESOURCE ACTIONS' of {1}",
                            name, fmt::join(known_resources(), ", ")));
  }
  http::Identity trial(name);
  for (const std::string& permission : permissions) {
    if (auto granted = grant(trial, permission); !granted) return granted;
  }
  if (!std::filesystem::exists(path)) return {};
  const auto table = parse(path);
  if (!table) return fail(table.error());
  const toml::array* users = (*table)["user"].as_array();
  for (std::size_t i = 0; users && i < users->size(); ++i) {
    if (name_of((*users)[i]) == name) {
      return fail(ErrorKind::kConflict, fmt::format("{} already has a user {}", path, name));
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> known_resources() {
  return {"dcos:superuser", native::gate().resource, scylla::gate().resource,
          metronome::router_gate().resource, metronome::kJobsResource};
}

Result<http::AccessList> read_access_file(const std::string& path) {
  const auto table = parse(path);
  if (!table) return fail(table.error());
  http::AccessList list;
  for (const auto& [key, value] : *table) {
    const toml::array* users = key == "user" ? value.as_array() : nullptr;
    if (!users) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{}: expected [[user]] tables, found {}", path, key.str()));
    }
    for (const toml::node& user : *users) {
      const toml::table* entry = user.as_table();
      const auto added = entry ? add_entry(list, *entry) : fail(ErrorKind::kInvalid, "not a table");
      if (added) continue;
      return fail(added.error().kind,
                  fmt::format("{}: user {}: {}", path, name_of(user), added.error().message));
    }
  }
  return list;
}

Result<std::string> add_user(const std::string& path, const std::string& name,
                             const std::vector<std::string>& permissions, Random& random) {
  if (name.empty()) return fail(ErrorKind::kInvalid, "a user needs a name");
  if (const auto sound = check_new(path, name, permissions); !sound) return fail(sound.error());
  std::string token = new_token(random);
  const auto written = append(path, entry_text(name, token, permissions));
  if (!written) return fail(written.error());
  return token;
}

Result<std::vector<AccessUser>> read_users(const std::string& path) {
  if (const auto sound = read_access_file(path); !sound) return fail(sound.error());
  const auto table = parse(path);
  if (!table) return fail(table.error());
  std::vector<AccessUser> users;
  const toml::array* entries = (*table)["user"].as_array();
  for (std::size_t i = 0; entries && i < entries->size(); ++i) {
    users.push_back({name_of((*entries)[i]), permissions_of(*(*entries)[i].as_table())});
  }
  return users;
}

Result<> remove_user(const std::string& path, const std::string& name) {
  const auto text = read_text(path);
  if (!text) return fail(text.error());
  const auto table = parse(path);
  if (!table) return fail(table.error());
  const toml::array* users = (*table)["user"].as_array();
  std::size_t from = 0;
  std::size_t to = std::string::npos;
  for (std::size_t i = 0; users && i < users->size(); ++i) {
    const std::size_t line = (*users)[i].source().begin.line;
    if (name_of((*users)[i]) == name) from = line;
    if (from != 0 && line > from) to = std::min(to, line);
  }
  if (from == 0) return fail(ErrorKind::kNotFound, fmt::format("{} has no user {}", path, name));
  return replace(path, without_lines(*text, from, to));
}

}  // namespace docket::app
