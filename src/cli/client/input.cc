#include "cli/client/input.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <istream>

#include "core/json.h"

namespace docket::cli {
namespace {

bool is_standard_input(const std::string& file) { return file.empty() || file == "-"; }

Result<std::string> drain(std::istream& in, const std::string& name) {
  std::string text;
  std::array<char, 65536> piece{};
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxInput) return fail(ErrorKind::kInvalid, name + " is larger than 16 MiB");
  }
  if (in.bad()) return fail(ErrorKind::kInvalid, "cannot read " + name);
  return text;
}

std::string shown(const std::string& file) {
  return is_standard_input(file) ? "standard input" : file;
}

}  // namespace

Result<std::string> read_input(const CliEnvironment& environment, const std::string& file) {
  if (is_standard_input(file)) return drain(environment.in, shown(file));
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorKind::kInvalid, "cannot read " + file + ": " + std::strerror(errno));
  return drain(in, file);
}

Result<boost::json::value> read_json(const CliEnvironment& environment, const std::string& file) {
  const auto text = read_input(environment, file);
  if (!text) return fail(text.error());
  auto value = parse_json(*text);
  if (!value) return fail(ErrorKind::kInvalid, shown(file) + ": " + value.error().message);
  return value;
}

}  // namespace docket::cli
