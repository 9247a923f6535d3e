#pragma once

// Which server to talk to. The first source that names one wins: the --url flag, the environment,
// the configuration file (~/.config/docket/config.toml with `url` and `token`), the hub on this
// machine.

#include <string>
#include <string_view>

#include "cli/client/environment.h"
#include "core/result.h"

namespace docket::cli {

inline constexpr std::string_view kDefaultUrl = "http://127.0.0.1:7300";

struct Settings {
  std::string url;    // without trailing slash
  std::string token;  // empty: none
};

// kInvalid for an unreadable configuration file or a URL that is neither http nor https.
Result<Settings> load_settings(const CliEnvironment& environment, const std::string& url_flag);

// Brings `host:port` and `HTTP://host/` into the form that the rest of the room uses.
Result<std::string> normalize_url(std::string_view url);

}  // namespace docket::cli
