// Carries out the plans of kinds: their steps become changes of the tree and orders to executors.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <utility>

#include "core/json.h"
#include "engine/engine.h"

namespace docket::engine {
namespace {

using model::EventType;
using model::State;

constexpr std::size_t kKeyMax = 256;  // bytes
constexpr const char* kStopTimedOut = "It was stopped and did not end in time";

std::size_t depth_of(const Node& node) {
  std::size_t depth = 0;
  for (const Node* at = &node; at->parent; at = at->parent) ++depth;
  return depth;
}

std::string& cell_of(StringPairs& cells, const std::string& name) {
  const auto known = std::ranges::find(cells, name, &StringPairs::value_type::first);
  return known == cells.end() ? cells.emplace_back(name, "").second : known->second;
}

// Live attempts at or below it, oldest first.
void collect_attempts(Node& of, std::vector<Node*>& into) {
  for (const auto& [id, child] : of.children()) {
    if (child->is_attempt() && !child->is_final()) into.push_back(child);
    collect_attempts(*child, into);
  }
}

std::size_t size_of(const StringPairs& pairs) {
  std::size_t size = 0;
  for (const auto& [name, value] : pairs) size += name.size() + value.size();
  return size;
}

bool has_live_attempt(const Node& of) {
  return std::ranges::any_of(of.children(), [](const auto& child) {
    return child.second->is_attempt() && !child.second->is_final();
  });
}

bool is_object(const std::string& text, std::size_t most) {
  if (text.size() > most) return false;
  const auto value = parse_json(text);
  return value && value->is_object();
}

bool may_be_object(const std::string& text, std::size_t most) {
  return text.empty() || is_object(text, most);
}

}  // namespace

bool are_facts(const std::string& text) { return is_object(text, kFactsMax); }

const char* flaw_of(const model::NoteText& note) {
  if (note.subtype.size() > kSubtypeMax) return "a note with a long subtype";
  if (!note.detail) return nullptr;
  if (note.detail->resource.size() > kResourceMax) return "a note of a resource with a long name";
  if (note.detail->traceback.size() > kTracebackMax) return "a note with a long traceback";
  const bool told = may_be_object(note.detail->before, kBeforeMax) &&
                    may_be_object(note.detail->after, kBeforeMax);
  return told ? nullptr : "a note whose before or after is not a JSON object, or too long";
}

std::string_view View::cell(const Node& node, std::string_view name) {
  if (!node.task.planned) return {};
  for (const auto& [cell, text] : node.task.planned->cells) {
    if (cell == name) return text;
  }
  return {};
}

// ---- plans

View Engine::view_of(const Node& run, Time now) {
  return {run, wakes_, records_, now - run.clock_set, random_.next()};
}

void Engine::plan(Node& run, const Happening& happening, Time now) {
  carry_out(run, kind_of(*run.job).plan(view_of(run, now), happening), now);
}

void Engine::carry_out(Node& run, Plan plan, Time now) {
  if (plan.size() > kPlanMax) return give_up(run, "it has more than 1000 steps", now);
  for (Step& step : plan) {
    if (run.is_final()) break;
    const char* flaw = std::visit([&](auto& each) { return carry_out(run, each, now); }, step);
    if (flaw) {
      give_up(run, flaw, now);
      break;
    }
  }
  report_unlaunched(now);
}

// Launches whose payload could not be made, once the plans that ordered them are carried out: a
// kind that is asked in between would not see what the rest of its plan does.
void Engine::report_unlaunched(Time now) {
  if (std::exchange(reports_unlaunched_, true)) return;
  while (!unlaunched_.empty()) {
    const auto [id, report] = std::move(unlaunched_.front());
    unlaunched_.pop_front();
    const Node* of = tree_.find(id);
    if (of && !of->root().is_final()) plan(tree_.at(of->task.root), Ended{*of, report, false}, now);
  }
  reports_unlaunched_ = false;
}

// A plan that cannot be carried out is a flaw of the kind, and hurts only that kind's runs.
void Engine::give_up(Node& run, const char* why, Time now) {
  ask_attempts_to_stop(run, {}, now);
  end_run(run, State::kFailed,
          fmt::format("The kind '{}' made a plan that cannot be carried out: {}",
                      kind_of(*run.job).name(), why),
          now);
}

const char* Engine::carry_out(Node& run, Spawn& spawn, Time now) {
  if (spawn.key.empty() || spawn.key.size() > kKeyMax) return "a step without a key, or a long one";
  if (run.step(spawn.key)) return nullptr;
  Node* above = run.step(spawn.under);
  if (!above) return "a step below one that does not exist";
  if (above->is_final()) return "a step below one that has ended";
  if (depth_of(*above) >= kStepDepthMax) return "a step too far below its run";
  if (size_of(spawn.labels) > kStepLabelsMax) return "a step with long labels";
  model::Operation what;
  what.module = kind_of(*run.job).name();
  what.type = spawn.type.empty() ? "step" : spawn.type;
  what.entity = spawn.key;
  what.scope = "step";
  what.labels = std::move(spawn.labels);
  what.keyspace = what.module;
  what.table = run.job->id();
  what.sequence = run.task.id.value;
  what.internal = true;
  what.folds = spawn.folds;
  model::Task task;
  task.id = new_task_id();
  task.parent = above->task.id;
  task.root = run.task.id;
  task.job = run.task.job;
  task.job_version = run.task.job_version;
  task.kind = model::TaskKind::kOperation;
  task.created_at = now;
  task.operation = std::make_shared<const model::Operation>(std::move(what));
  task.planned = std::make_shared<const model::Planned>(model::Planned{.key = spawn.key});
  Node& step = tree_.insert(std::move(task), run.job);
  tree_.touch(step);
  tree_.log(step, EventType::kTaskCreated, State::kCreated, {}, now);
  const model::Needs needs = needs_of(step);
  if (!needs.any()) return nullptr;
  const bool may_wait_for_ever = !needs.locks.empty() && !needs.patience;
  if (may_wait_for_ever && !needs_of(run).locks.empty()) {
    return "a step that waits for a lock without limit while its run holds one";
  }
  await(step, needs, now);
  return nullptr;
}

const char* Engine::carry_out(Node& run, Launch& order, Time now) {
  Node* of = run.step(order.key);
  if (!of || of->is_final()) return "an attempt of a step that does not exist, or has ended";
  if (has_live_attempt(*of)) return "a second attempt beside a live one";
  for (const Node* at = of; at->is_step(); at = at->parent) {
    if (waits_for_needs(*at)) return "an attempt of a step that still waits for its needs";
  }
  const TaskId attempt = new_task_id();
  auto payload = kind_of(*run.job).payload(view_of(run, now), *of, attempt, *this);
  if (!payload) {
    unlaunched_.emplace_back(of->task.id, AttemptReport{.token = attempt,
                                                        .phase = AttemptPhase::kExited,
                                                        .message = payload.error().message});
    return nullptr;
  }
  const Target& target = place_of(*of);
  if (order.executor.empty()) order.executor = target.executor;
  const bool is_here = &target == &targets_.at(0);
  begin(*of, now);
  add_attempt(*of, attempt,
              {.executor = order.executor, .target = is_here ? std::string() : target.name}, now);
  open_.starts.push_back({attempt, std::move(order.executor), std::move(*payload)});
  return nullptr;
}

// A task runs from its first attempt on, or from the first attempt below it.
void Engine::begin(Node& node, Time now) {
  if (node.parent && !node.is_attempt()) begin(*node.parent, now);
  if (!node.waits()) return;
  leave_queue(node);
  change(node, State::kRunning, {}, now);
}

void Engine::add_attempt(Node& of, TaskId id, model::Work work, Time now) {
  model::Task attempt;
  attempt.id = id;
  attempt.parent = of.task.id;
  attempt.root = of.task.root;
  attempt.job = of.task.job;
  attempt.job_version = of.task.job_version;
  attempt.kind = model::TaskKind::kAttempt;
  attempt.trigger = of.task.trigger;
  attempt.created_at = now;
  if (work != model::Work{}) attempt.work = std::make_shared<const model::Work>(std::move(work));
  trim_attempts(of);
  tree_.touch(tree_.insert(std::move(attempt), of.job));
}

const char* Engine::carry_out(Node& run, Stop& order, Time now) {
  Node* of = run.step(order.key);
  if (!of) return "an end of a step that does not exist";
  ask_attempts_to_stop(*of, order, now);
  return nullptr;
}

void Engine::ask_attempts_to_stop(Node& of, const Stop& how, Time now) {
  std::vector<Node*> attempts;
  collect_attempts(of, attempts);
  for (Node* attempt : attempts) {
    if (how.patience) stop_deadlines_.emplace(now + *how.patience, attempt->task.id);
    if (std::exchange(attempt->task.stopping, true)) continue;
    tree_.touch(*attempt);
    open_.stops.push_back(
        {attempt->task.id, std::string(model::executor_of(attempt->task)), how.grace});
  }
}

// An attempt that is lost in this way may still be alive: its executor is not told to forget it,
// and it is stopped again when it is heard of (on_attempt).
void Engine::expire_stops(Time now) {
  while (!stop_deadlines_.empty() && stop_deadlines_.begin()->first <= now) {
    Node* attempt = tree_.find(stop_deadlines_.begin()->second);
    stop_deadlines_.erase(stop_deadlines_.begin());
    if (!attempt || attempt->is_final()) continue;
    const AttemptReport lost{
        .token = attempt->task.id, .phase = AttemptPhase::kLost, .message = kStopTimedOut};
    attempt_ended(*attempt, lost, now);
  }
}

const char* Engine::carry_out(Node& run, Set& order, Time now) {
  Node* of = run.step(order.key);
  if (!of || of->is_final()) return "a change of a step that does not exist, or has ended";
  if (order.facts && !are_facts(*order.facts))
    return "facts that are not a JSON object, or too long";
  if (order.state && *order.state != of->task.state) {
    const bool allowed = *order.state == State::kRunning || *order.state == State::kPaused;
    if (!allowed || !model::may_move(of->task.state, *order.state) || waits_for_needs(*of)) {
      return "a state that cannot follow";
    }
    change(*of, *order.state, {}, now);
  }
  if (order.completed || order.total) {
    model::put_figures(of->task, order.completed, order.total);
    tree_.touch(*of);
  }
  if (!order.word && !order.facts) return nullptr;
  say(*of, [&](model::Planned& planned) {
    planned.word = order.word.value_or(planned.word);
    planned.facts = order.facts.value_or(planned.facts);
  });
  return nullptr;
}

// The newest result counts.
void Engine::put_result(const Node& of, std::string result) {
  if (!result.empty()) open_.batch->results.push_back({of.task.id, std::move(result)});
}

const char* Engine::carry_out(Node& run, Keep& order, Time) {
  Node* of = run.step(order.key);
  if (!of || of->is_final()) return "memory of a step that does not exist, or has ended";
  if (order.cell.empty() || order.text.size() > kCellMax)
    return "a cell without a name, or too long";
  say(*of, [&](model::Planned& planned) {
    cell_of(planned.cells, order.cell) = order.text;
    std::erase_if(planned.cells, [](const auto& cell) { return cell.second.empty(); });
  });
  return of->task.planned->cells.size() > kCellsMax ? "too many cells" : nullptr;
}

// Rows on their way to the store keep their old values.
void Engine::say(Node& node, const std::function<void(model::Planned&)>& change) {
  const auto& before = node.task.planned;
  auto after =
      before ? std::make_shared<model::Planned>(*before) : std::make_shared<model::Planned>();
  change(*after);
  if (before && *before == *after) return;
  node.task.planned = std::move(after);
  tree_.touch(node);
}

const char* Engine::carry_out(Node& run, Note& note, Time now) {
  const Node* of = run.step(note.key);
  if (!of) return "a note of a step that does not exist";
  const char* flaw = flaw_of(note.text);
  if (!flaw) tree_.note(*of, std::move(note.text), now);
  return flaw;
}

const char* Engine::carry_out(Node& run, Wake& wake, Time) {
  const Time at = wake.at == kNever ? kNever : wake.at + run.clock_set;
  wakes_.set(run.task.id, wake.name, {at, std::move(wake.why), wake.begins_work});
  return nullptr;
}

const char* Engine::carry_out(Node& run, Finish& finish, Time now) {
  if (!model::is_final(finish.state)) return "an end in a state that is not final";
  Node* of = run.step(finish.key);
  if (!of) return "an end of a step that does not exist";
  if (of->is_final()) return nullptr;
  if (finish.result.size() > kResultMax) return "a result that is too long";
  put_result(*of, std::move(finish.result));
  if (finish.state == State::kDone) begin(*of, now);  // what is done has run
  if (of == &run) {
    end_run(run, finish.state, std::move(finish.message), now);
  } else {
    end_below(*of, now);
    end_step(*of, finish.state, std::move(finish.message), now);
  }
  return nullptr;
}

const char* Engine::carry_out(Node& run, More&, Time) {
  unfinished_plans_.insert(run.task.id);
  return nullptr;
}

// Once for each run and tick, so that a long plan does not make a long tick.
void Engine::continue_plans(Time now) {
  for (const TaskId run : std::exchange(unfinished_plans_, {})) {
    if (Node* node = tree_.find(run); node && !node->is_final()) plan(*node, Look{}, now);
  }
}

// ---- the ends of steps

void Engine::end_step(Node& step, State state, std::string message, Time now) {
  if (step.waits()) leave_queue(step);
  change(step, state, std::move(message), now);
  step_processes_gone(step);
}

// While an attempt at or below it is live, a step keeps its capacity and locks, and stays in
// memory even if it folds.
void Engine::step_processes_gone(Node& step) {
  for (Node* at = &step; at->is_step(); at = at->parent) {
    const bool folds = at->what().folds && !at->leaving;
    const bool goes = at->is_final() && (folds || at->holds_capacity);
    if (!goes || has_live_attempt_below(*at)) continue;
    give_back(*at);
    if (folds) tree_.leave(*at);
  }
}

// Ends what is live below a task that ends: attempts are asked to stop, and may outlive it; steps
// end with it, deepest first.
void Engine::end_below(Node& node, Time now) {
  for (const auto& [id, child] : node.children()) {
    if (!child->is_step() || child->is_final()) continue;
    end_below(*child, now);
    end_step(*child, State::kAborted, {}, now);
  }
  ask_attempts_to_stop(node, {}, now);
}

}  // namespace docket::engine
