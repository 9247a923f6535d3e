#include "app/access_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "core/json_writer.h"

namespace docket::app {
namespace {

Result<toml::table> parse(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: {}", path, error.description()));
  }
}

// A table of the file as an identity under its token's digest.
Result<> add_entry(http::AccessList& list, const toml::table& entry) {
  for (const auto& [key, value] : entry) {
    if (key == "name" || key == "token-sha256" || key == "permissions") continue;
    return fail(ErrorKind::kInvalid, fmt::format("unknown key {}", key.str()));
  }
  const auto name = entry["name"].value<std::string>();
  const auto digest = entry["token-sha256"].value<std::string>();
  const toml::array* permissions = entry["permissions"].as_array();
  if (!name || name->empty()) return fail(ErrorKind::kInvalid, "a user without a name");
  if (!digest) return fail(ErrorKind::kInvalid, "token-sha256 is missing");
  if (!permissions) return fail(ErrorKind::kInvalid, "permissions is missing, or not a list");
  http::Identity identity(*name);
  for (const toml::node& permission : *permissions) {
    const auto granted = identity.grant(permission.value_or(std::string()));
    if (!granted) return fail(granted.error());
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

// JSON's strings are TOML's basic strings.
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

Result<> check_new(const std::string& path, const std::string& name,
                   const std::vector<std::string>& permissions) {
  http::Identity trial(name);
  for (const std::string& permission : permissions) {
    if (const auto granted = trial.grant(permission); !granted) return granted;
  }
  if (!std::filesystem::exists(path)) return {};
  const auto table = parse(path);
  if (!table) return fail(table.error());
  const toml::array* users = (*table)["user"].as_array();
  for (std::size_t i = 0; users && i < users->size(); ++i) {
    if (name_of((*users)[i]) == name) {
      return fail(ErrorKind::kConflict, fmt::format("{} has a user {} already", path, name));
    }
  }
  return {};
}

}  // namespace

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

}  // namespace docket::app
