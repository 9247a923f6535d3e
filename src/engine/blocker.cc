#include "engine/blocker.h"

#include <fmt/format.h>

#include <array>

#include "model/pattern.h"

namespace docket::engine {
namespace {

const char* word_of(model::ConstraintOperator op) {
  constexpr std::array kWords{"IS", "LIKE", "UNLIKE"};
  return kWords[static_cast<std::size_t>(op)];
}

// An older store may have brought along a pattern that nothing can match.
std::string in_words(const model::Constraint& constraint) {
  const std::string& value = *constraint.value;
  const bool is_long = value.size() > model::kPatternBytesMax;
  std::string text = fmt::format("{} {} {}", constraint.attribute, word_of(constraint.op),
                                 is_long ? "a long pattern" : value);
  if (constraint.op == model::ConstraintOperator::kIs) return text;
  const auto pattern = model::Pattern::compile(value);
  return pattern ? text : fmt::format("{}: the pattern {}", text, pattern.error().message);
}

std::string room_in_words(const Blocker& blocker) {
  const Resource& resource = *blocker.resource;
  const auto amount = [&resource](std::int64_t of) {
    return static_cast<double>(of) / resource.unit;
  };
  return fmt::format("needs {:g} {}, {:g} of {:g} free", amount(blocker.needed), resource.name,
                     amount(blocker.free), amount(blocker.total));
}

}  // namespace

std::string words_of(const Blocker& blocker) {
  switch (blocker.what) {
    case BlockedBy::kTime:
      return "its time to begin has not come";
    case BlockedBy::kConstraint:
      return "no node satisfies " + in_words(blocker.constraint);
    case BlockedBy::kNoTarget:
      return "no node that satisfies its constraints takes new work";
    case BlockedBy::kNeverFits:
    case BlockedBy::kCapacity:
      return room_in_words(blocker);
    case BlockedBy::kRunningLimit:
      return fmt::format("{} runs have processes, which is the limit", blocker.total);
    case BlockedBy::kLock:
      return fmt::format("lock '{}' is held by {}", blocker.lock, blocker.who);
    case BlockedBy::kKeptLock:
      return fmt::format("lock '{}' is kept for {}, which has been overtaken for too long",
                         blocker.lock, blocker.who);
    case BlockedBy::kTurn:
      break;
  }
  return blocker.who + " has been overtaken for too long and goes first";
}

std::string words_of(const std::vector<Blocker>& blockers) {
  std::string words;
  for (const Blocker& each : blockers) words += (words.empty() ? "" : "; ") + words_of(each);
  return words.empty() ? "nothing is in its way" : words;
}

}  // namespace docket::engine
