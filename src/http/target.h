#pragma once

// The request target as text: splitting, percent-decoding, query parameters. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace docket::http {

// Views into the text that was split; both still percent-encoded.
struct Target {
  std::string_view path;
  std::string_view query;
};

// Origin form ("/a?b") and absolute form ("http://host/a?b", as proxies send it); nullopt for
// anything else.
std::optional<Target> split_target(std::string_view raw);

enum class Plus { kLiteral, kBlank };

// nullopt if an escape is truncated or not hexadecimal, or if the result would contain a NUL: C
// libraries would treat a name with a NUL differently.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

// "a=1&b&a=%20" as {a,1} {b,} {a, }. Empty pieces are skipped; nullopt on a bad escape.
std::optional<Fields> parse_query(std::string_view query);

}  // namespace docket::http
