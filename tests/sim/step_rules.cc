#include "sim/step_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace docket::sim {
namespace {

using model::State;

std::string show(const model::Task& step) {
  return fmt::format("step {} of run {}", step.planned ? step.planned->key : "?", step.root.value);
}

const kinds::TestStep* find(const std::vector<kinds::TestStep>& steps, std::string_view key) {
  const auto slash = key.find('/');
  const auto found = std::ranges::find(steps, key.substr(0, slash), &kinds::TestStep::name);
  if (found == steps.end() || slash == std::string_view::npos) {
    return found == steps.end() ? nullptr : &*found;
  }
  return find(found->steps, key.substr(slash + 1));
}

std::size_t count(const std::vector<kinds::TestStep>& steps) {
  std::size_t sum = steps.size();
  for (const kinds::TestStep& step : steps) sum += count(step.steps);
  return sum;
}

}  // namespace

void StepRules::apply(const engine::Batch& batch) {
  for (const model::Task& task : batch.tasks) {
    if (model::is_step(task)) take_step(task);
  }
  told_.clear();
  for (const model::Event& event : batch.events) {
    if (event.job && event.type >= model::EventType::kTaskCreated) follow(event);
  }
  for (const TaskId id : told_) {
    const Life& life = steps_.at(id);
    verdict_.require(life.told == life.task.state, "a step's state agrees with its events",
                     show(life.task));
  }
  for (const model::Task& task : batch.tasks) {
    if (task.kind == model::TaskKind::kAttempt && steps_.contains(task.parent)) take_attempt(task);
  }
  for (const model::Task& task : batch.tasks) {
    if (!model::is_step(task)) continue;
    if (model::is_final(task.state)) check_end(steps_.at(task.id));
  }
  for (const model::Task& task : batch.tasks) {
    if (task.kind == model::TaskKind::kRun) check_run(task);
  }
}

void StepRules::take_step(const model::Task& task) {
  const auto [known, is_new] = steps_.try_emplace(task.id, Life{.task = task});
  if (!is_new) {
    verdict_.require(known->second.task.parent == task.parent &&
                         known->second.task.planned->key == task.planned->key,
                     "a step stays what it is", show(task));
    known->second.task = task;
    return;
  }
  const bool is_first = trees_[task.root].emplace(task.planned->key, task.id).second;
  verdict_.require(is_first, "a key names one step of a run", show(task));
  const model::JobPtr job = record_.job_of(task);
  verdict_.require(job && find(kinds::test_of(job->definition.spec).steps, task.planned->key),
                   "a step is one of the spec's", show(task));
  const auto slash = task.planned->key.rfind('/');
  const bool top = slash == std::string::npos;
  const auto above =
      top ? trees_[task.root].end() : trees_[task.root].find(task.planned->key.substr(0, slash));
  const bool placed = top ? task.parent == task.root
                          : above != trees_[task.root].end() && above->second == task.parent;
  verdict_.require(placed, "a step is below the one that its key names", show(task));
}

void StepRules::follow(const model::Event& event) {
  const auto step = steps_.find(event.task);
  if (step == steps_.end()) return;  // a note of the run itself
  if (event.type == model::EventType::kTaskNote) return take_note(step->second, event.message);
  if (event.type != model::EventType::kTaskChanged) return;
  Life& life = step->second;
  verdict_.require(event.before == life.told && model::may_move(event.before, event.after),
                   "the states of a step form a path", show(life.task));
  life.told = event.after;
  told_.insert(event.task);
}

// "part 2 of 3", as the test executor writes it: the next part, or the first of another attempt.
void StepRules::take_note(Life& step, const std::string& note) {
  const int part = std::atoi(note.c_str() + note.find(' '));
  verdict_.require(part == 1 || part == step.told_parts + 1,
                   "what an executor reports is taken once", show(step.task) + ": " + note);
  step.told_parts = part;
}

void StepRules::take_attempt(const model::Task& task) {
  Life& life = steps_.at(task.parent);
  const bool over = model::is_final(task.state);
  const model::JobPtr job = record_.job_of(task);
  // Steps that wait by themselves begin whatever else runs.
  const bool counts = !kind_.needs(*job, nullptr, life.task.planned->key).any();
  if (!over && live_attempts_.insert(task.id).second) {
    if (counts) ++working_[task.root];
    verdict_.require(++life.live_attempts == 1, "a step has one process at a time",
                     show(life.task));
    verdict_.require(working_[task.root] <= kinds::test_of(job->definition.spec).concurrency,
                     "no more steps run than are allowed", show(life.task));
  }
  if (!over || !ended_attempts_.insert(task.id).second) return;
  life.succeeded = life.succeeded || task.state == State::kDone;
  if (live_attempts_.erase(task.id) == 0) return;
  if (counts) --working_[task.root];
  --life.live_attempts;
}

void StepRules::check_end(const Life& step) {
  const model::JobPtr job = record_.job_of(step.task);
  const auto* told = find(kinds::test_of(job->definition.spec).steps, step.task.planned->key);
  if (told && told->steps.empty()) {
    verdict_.require(step.task.state != State::kDone || step.succeeded,
                     "a leaf is done when its process is", show(step.task));
    return;
  }
  const std::string prefix = step.task.planned->key + "/";
  const Tree& tree = trees_[step.task.root];
  for (auto below = tree.lower_bound(prefix);
       below != tree.end() && below->first.starts_with(prefix); ++below) {
    verdict_.require(model::is_final(steps_.at(below->second).task.state),
                     "a group ends after what is below it", show(step.task));
  }
}

void StepRules::check_run(const model::Task& run) {
  const model::JobPtr job = record_.job_of(run);
  if (!job || job->definition.spec.kind != kinds::kTest || !model::is_final(run.state)) return;
  bool all_done = true;
  for (const auto& [key, id] : trees_[run.id]) {
    const State state = steps_.at(id).task.state;
    verdict_.require(model::is_final(state), "no step outlives its run", show(steps_.at(id).task));
    all_done = all_done && state == State::kDone;
  }
  const std::string name = fmt::format("run {}", run.id.value);
  const auto& spec = kinds::test_of(job->definition.spec);
  const bool whole = trees_[run.id].size() == count(spec.steps);
  const bool fits = run.state == State::kDone     ? all_done && whole
                    : run.state == State::kFailed ? !(all_done && whole)
                                                  : true;  // stopped, perhaps with the last of them
  verdict_.require(fits, "a run is done when all of its steps are", name);
}

// Whether it or a step above it folded long ago.
bool StepRules::may_be_swept(TaskId step) const {
  for (auto at = steps_.find(step); at != steps_.end(); at = steps_.find(at->second.task.parent)) {
    const model::Task& task = at->second.task;
    if (task.tally.fold != 0 && task.finished_at < record_.swept_until) return true;
  }
  return false;
}

void StepRules::check_loaded(const engine::Snapshot& snapshot) {
  std::set<TaskId> loaded;
  std::set<TaskId> runs;
  for (const model::Task& task : snapshot.tasks) {
    if (task.kind == model::TaskKind::kRun) runs.insert(task.id);
    if (!model::is_step(task)) continue;
    loaded.insert(task.id);
    const auto known = steps_.find(task.id);
    const bool same = known != steps_.end() && known->second.task.state == task.state &&
                      *known->second.task.planned == *task.planned;
    verdict_.require(same, "what was durable is there after a restart", show(task));
  }
  for (const TaskId run : runs) {
    for (const auto& [key, id] : trees_[run]) {
      const bool stays = steps_.at(id).task.tally.fold == 0 && !may_be_swept(id);
      verdict_.require(!stays || loaded.contains(id), "what stays is loaded",
                       show(steps_.at(id).task));
    }
  }
}

}  // namespace docket::sim
