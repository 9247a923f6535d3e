#include "engine/progress_sums.h"

#include <utility>

namespace docket::engine {
namespace {

// A folded task has nothing below it that is not folded.
bool may_have_unfolded(const model::Task& task) { return task.operation && task.tally.fold == 0; }

void add(std::optional<model::Progress>& sum, const model::Progress& progress) {
  if (!sum) sum.emplace();
  sum->completed += progress.completed;
  sum->total += progress.total;
}

}  // namespace

std::optional<ProgressSums::Sum> ProgressSums::known(const model::Task& task) const {
  if (task.tally.counts || !may_have_unfolded(task)) return Sum{};
  const auto found = sums_.find(task.id);
  if (found == sums_.end()) return std::nullopt;
  return found->second;
}

// Whether there is one, at open.page[open.at].
Result<bool> ProgressSums::next_child(Reader& reader, Open& open) const {
  if (open.at < open.page.size()) return true;
  if (open.page_is_last) return false;
  auto page = reader.children(open.query);
  if (!page) return fail(std::move(page.error()));
  open.page = std::move(*page);
  open.at = 0;
  open.page_is_last = open.page.size() < open.query.limit;
  if (open.page.empty()) return false;
  open.query.after = place_of(open.page.back().task);
  return true;
}

Result<std::optional<model::Progress>> ProgressSums::of(Reader& reader, const model::Task& task) {
  if (const auto sum = known(task)) return *sum;
  std::vector<Open> stack;
  stack.push_back({.id = task.id, .query = {.parent = task.id}});
  for (;;) {
    Open& open = stack.back();
    const auto more = next_child(reader, open);
    if (!more) return fail(more.error());
    if (*more) {
      const model::Task& child = open.page[open.at].task;
      if (const auto below = known(child)) {
        add(open.sum, model::progress_of(child, *below));
        ++open.at;
      } else {
        stack.push_back({.id = child.id, .query = {.parent = child.id}});
      }
      continue;
    }
    const Sum sum = open.sum;
    sums_[open.id] = sum;
    stack.pop_back();
    if (stack.empty()) return sum;
  }
}

}  // namespace docket::engine
