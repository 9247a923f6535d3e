#include "cli/client/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <sstream>

namespace docket::cli {
namespace {

std::string describe(const toml::parse_error& error, const std::string& path) {
  std::ostringstream text;
  text << path << ":" << error.source().begin.line << ": " << error.description();
  return text.str();
}

Result<Settings> read_file(const std::string& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) return Settings{};
  try {
    const toml::table file = toml::parse_file(path);
    for (const auto& [name, value] : file) {
      if (name != "url" && name != "token") {
        return fail(ErrorKind::kInvalid, path + ": unknown key " + std::string(name.str()));
      }
      if (!value.is_string()) {
        return fail(ErrorKind::kInvalid, path + ": " + std::string(name.str()) + " must be text");
      }
    }
    return Settings{file["url"].value_or(""), file["token"].value_or("")};
  } catch (const toml::parse_error& error) {
    return fail(ErrorKind::kInvalid, describe(error, path));
  }
}

std::string first_of(std::initializer_list<std::string_view> candidates) {
  for (const std::string_view candidate : candidates) {
    if (!candidate.empty()) return std::string(candidate);
  }
  return {};
}

}  // namespace

Result<std::string> normalize_url(std::string_view url) {
  const std::size_t scheme_end = url.find("://");
  std::string scheme = scheme_end == url.npos ? "http" : std::string(url.substr(0, scheme_end));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::string_view rest = scheme_end == url.npos ? url : url.substr(scheme_end + 3);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.empty() || (scheme != "http" && scheme != "https")) {
    return fail(ErrorKind::kInvalid, "\"" + std::string(url) +
                                         "\" is not the URL of a server, like " +
                                         std::string(kDefaultUrl));
  }
  return scheme + "://" + std::string(rest);
}

Result<Settings> load_settings(const CliEnvironment& environment, const std::string& url_flag) {
  Settings file;
  if (!environment.home.empty()) {
    auto read = read_file(environment.home + "/.config/docket/config.toml");
    if (!read) return fail(read.error());
    file = *std::move(read);
  }
  auto url = normalize_url(first_of({url_flag, environment.url, file.url, kDefaultUrl}));
  if (!url) return fail(url.error());
  return Settings{*std::move(url), first_of({environment.token, file.token})};
}

}  // namespace docket::cli
