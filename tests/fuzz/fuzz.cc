#include "fuzz/fuzz.h"

#include <algorithm>
#include <stdexcept>

namespace docket::fuzz {
namespace {

std::vector<const Target*>& registered() {
  static std::vector<const Target*> all;
  return all;
}

}  // namespace

Target::Target(const char* its_name, Run its_run) : name(its_name), run(its_run) {
  registered().push_back(this);
}

const std::vector<const Target*>& targets() { return registered(); }

void require(bool kept, std::string_view promise, std::string_view seen) {
  if (kept) return;
  std::string text = "broken promise: " + std::string(promise);
  if (!seen.empty()) text += "\nseen: " + std::string(seen);
  throw std::logic_error(text);
}

std::uint8_t Input::byte() {
  if (rest_.empty()) return 0;
  const auto first = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return first;
}

std::int64_t Input::number() {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{byte()} << (8 * i);
  return static_cast<std::int64_t>(value);
}

std::string Input::text() {
  const std::size_t size = std::min<std::size_t>(byte(), rest_.size());
  std::string taken(rest_.substr(0, size));
  rest_.remove_prefix(size);
  return taken;
}

}  // namespace docket::fuzz
