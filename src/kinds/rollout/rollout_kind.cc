#include "kinds/rollout/rollout_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/exit_words.h"
#include "engine/records.h"
#include "exec/ssh/launch.h"
#include "kinds/rollout/node_work.h"
#include "kinds/rollout/spec.h"
#include "kinds/rollout/topology.h"
#include "model/record_id.h"

namespace docket::kinds {
namespace {

using engine::Finish;
using engine::Keep;
using engine::Launch;
using engine::More;
using engine::Node;
using engine::Plan;
using engine::Spawn;
using engine::View;
using model::State;

// Memory of the run.
constexpr const char* kSpawned = "spawned";  // nodes whose steps are made; "all" in the end
constexpr const char* kAll = "all";
constexpr const char* kConverged = "converged";  // "1": the cluster had a converged node
constexpr const char* kReleased = "released";    // holds
constexpr const char* kHeld = "held";            // its word meanwhile

constexpr const char* kTrue = "true";
constexpr std::size_t kNodesAtOnce = 300;  // of a plan: three steps each, and a few more

const RolloutSpec& spec_of(const View& view) {
  return *rollout_spec_of(view.job().definition.spec);
}

std::string_view label(const Node& step, std::string_view name) {
  for (const auto& [each, value] : step.what().labels) {
    if (each == name) return value;
  }
  return {};
}

std::size_t number_of(std::string_view text) {
  return text.empty() ? 0 : std::stoul(std::string(text));
}

// ---- the tree, made when the run begins

std::string why_not(const RolloutSpec& spec, const Result<Rollout>& rollout) {
  if (!rollout) return "the cluster, datacenter or node does not exist any more";
  if (rollout->nodes.empty()) return "there are no nodes in the scope of the job";
  for (const RolloutNode& node : rollout->nodes) {
    if (!node.credential) return fmt::format("node '{}' has no machine credential", node.name);
    if (node.profiles.empty()) return fmt::format("node '{}' has no config profile", node.name);
  }
  const bool converges = spec.type == RolloutType::kInstall || rollout->has_converged_nodes;
  return converges ? "" : "no install of a node of this cluster has completed";
}

Plan refuse(const std::string& why) {
  return {engine::Note{{.message = why, .subtype = "error/ValidationError"}},
          Finish{State::kFailed, why}};
}

StringPairs labels_of(const RolloutNode& node) {
  StringPairs labels{{kNodeLabel, model::uuid_of(node.id)},
                     {kNameLabel, node.name},
                     {kDatacenterLabel, node.datacenter},
                     {kRackLabel, node.rack}};
  if (node.seed) labels.emplace_back(kSeedLabel, kTrue);
  if (node.joins) labels.emplace_back(kJoinsLabel, kTrue);
  return labels;
}

// Keys of nodes are in the order in which they are wanted.
std::string node_key(std::size_t position) { return fmt::format("node-{:06}", position); }

Plan lay_out(const View& view) {
  const auto rollout = rollout_of(view.records(), spec_of(view).resource);
  const std::size_t before = number_of(View::cell(view.run(), kSpawned));
  // Between two slices of a large cluster its records may go.
  if (before == 0 || !rollout) {
    if (const std::string why = why_not(spec_of(view), rollout); !why.empty()) return refuse(why);
  }
  const std::vector<SequenceNode> places = sequence_nodes(*rollout);
  Plan plan;
  if (before == 0) {
    plan.emplace_back(engine::Note{{.message = "job started", .subtype = "milestone/start"}});
    if (rollout->has_converged_nodes) plan.emplace_back(Keep{kConverged, "1"});
  }
  const std::size_t after = std::min(rollout->nodes.size(), before + kNodesAtOnce);
  for (std::size_t i = before; i < after; ++i) {
    const RolloutNode& node = rollout->nodes[i];
    const std::string datacenter = fmt::format("dc-{}", places[i].place.datacenter);
    const std::string rack = fmt::format("rack-{}", places[i].place.rack);
    plan.emplace_back(
        Spawn{.key = datacenter, .type = "datacenter", .labels = {{kNameLabel, node.datacenter}}});
    plan.emplace_back(Spawn{
        .key = rack, .under = datacenter, .type = "rack", .labels = {{kNameLabel, node.rack}}});
    plan.emplace_back(
        Spawn{.key = node_key(i), .under = rack, .type = "node", .labels = labels_of(node)});
  }
  const bool all = after == rollout->nodes.size();
  plan.emplace_back(Keep{kSpawned, all ? kAll : std::to_string(after)});
  plan.emplace_back(More{});
  return plan;
}

// ---- the nodes as they are

struct Nodes {
  std::vector<const Node*> steps;
  std::vector<SequenceNode> places;
  std::vector<NodeProgress> progress;

  std::size_t count(NodeProgress what) const {
    return static_cast<std::size_t>(std::ranges::count(progress, what));
  }
};

NodeProgress progress_of(const Node& step) {
  switch (step.task.state) {
    case State::kDone:
      return NodeProgress::kDone;
    case State::kFailed:
    case State::kAborted:
      return NodeProgress::kFailed;
    case State::kCreated:
      return NodeProgress::kWaiting;
    default:
      return NodeProgress::kActive;
  }
}

// `ended`: a node that the plan at hand ends, so.
Nodes nodes_of(const View& view, const Node* ended = nullptr,
               NodeProgress as = NodeProgress::kDone) {
  Nodes nodes;
  std::map<const Node*, std::uint32_t> numbers;
  const auto number = [&](const Node* step) {
    return numbers.try_emplace(step, static_cast<std::uint32_t>(numbers.size())).first->second;
  };
  for (const auto& [key, step] : view.run().steps()) {
    if (!key.starts_with("node-")) continue;
    nodes.steps.push_back(step);
    nodes.places.push_back({.place = {number(step->parent->parent), number(step->parent)},
                            .seed = label(*step, kSeedLabel) == kTrue,
                            .joins = label(*step, kJoinsLabel) == kTrue});
    nodes.progress.push_back(step == ended ? as : progress_of(*step));
  }
  return nodes;
}

SequenceRules rules(const View& view, const Nodes& nodes) {
  const bool converged = !View::cell(view.run(), kConverged).empty();
  SequenceRules rules = rules_of(spec_of(view), nodes.places, converged);
  rules.holds_released = number_of(View::cell(view.run(), kReleased));
  return rules;
}

// ---- on, and to the end

Finish end_of(const View& view, const Nodes& nodes) {
  if (view.run().task.stopping) return Finish{State::kAborted, "Stopped"};
  const std::size_t failed = nodes.count(NodeProgress::kFailed);
  if (failed == 0) return Finish{};
  return Finish{State::kFailed,
                fmt::format("{} of {} nodes failed", failed, nodes.progress.size())};
}

// What may start does; when nothing is at work and nothing may start, the run has ended or is held.
void go_on(const View& view, const Nodes& nodes, Plan& plan) {
  const SequenceRules rules = kinds::rules(view, nodes);
  std::vector<std::size_t> next;
  if (!view.run().task.stopping) next = next_nodes(rules, nodes.places, nodes.progress);
  for (const std::size_t i : next) {
    if (plan.size() + 2 > engine::kPlanMax) break;
    plan.emplace_back(Launch{.key = nodes.steps[i]->task.planned->key, .executor = ssh::kName});
  }
  if (!next.empty() || nodes.count(NodeProgress::kActive) > 0) {
    if (plan.size() + 1 >= engine::kPlanMax) plan.emplace_back(More{});
    return;
  }
  if (!view.run().task.stopping && is_held(rules, nodes.progress)) {
    plan.emplace_back(engine::Set{.word = kHeld});
  } else {
    plan.emplace_back(end_of(view, nodes));
  }
}

Plan look(const View& view) {
  if (View::cell(view.run(), kSpawned) != kAll) return lay_out(view);
  Plan plan;
  go_on(view, nodes_of(view), plan);
  return plan;
}

// The rack, and the datacenter, of which it was the last.
void finish_above(const Node& ended, bool failed, Plan& plan) {
  const Node* last = &ended;
  for (const Node* above = ended.parent; above->is_step(); above = above->parent) {
    for (const auto& [id, child] : above->children()) {
      if (child == last) continue;
      if (!child->is_final()) return;
      failed = failed || child->task.state != State::kDone;
    }
    last = above;
    plan.emplace_back(
        Finish{.state = failed ? State::kFailed : State::kDone, .key = above->task.planned->key});
  }
}

Plan node_ended(const View& view, const engine::Ended& ended) {
  const engine::AttemptReport& report = ended.report;
  if (ended.of.is_final()) return look(view);
  const bool stopped = view.run().task.stopping && report.signal != 0;
  const State state = report.succeeded() ? State::kDone
                      : stopped          ? State::kAborted
                                         : State::kFailed;
  std::string why = report.message;
  if (!report.succeeded() && why.empty()) why = words_of_exit(report.exit_code, report.signal);
  Plan plan;
  plan.emplace_back(Finish{state, std::move(why), ended.of.task.planned->key});
  finish_above(ended.of, state != State::kDone, plan);
  go_on(view,
        nodes_of(view, &ended.of, report.succeeded() ? NodeProgress::kDone : NodeProgress::kFailed),
        plan);
  return plan;
}

// Nothing new begins; what is at work is asked to end, and awaited.
Plan stop(const View& view) {
  Plan plan{engine::Stop{}};
  if (view.run().live_attempts == 0) plan.emplace_back(More{});
  return plan;
}

}  // namespace

std::string_view RolloutKind::name() const { return kRollout; }

model::SpecBodyPtr RolloutKind::read(JsonReader& in) const {
  return kinds::spec_of(read_rollout_spec(in)).body;
}

void RolloutKind::check(const model::JobDefinition& definition, model::Flaws& flaws) const {
  if (!definition.id.empty()) flaws.add("is not for jobs", "/kind");
}

model::Needs RolloutKind::needs(const model::Job& job, const model::RunParameters*,
                                std::string_view key) const {
  if (!key.empty()) return {};
  return {.locks = rollout_spec_of(job.definition.spec)->locks};
}

Plan RolloutKind::plan(const View& view, const engine::Happening& happening) const {
  if (const auto* ended = std::get_if<engine::Ended>(&happening)) return node_ended(view, *ended);
  if (std::holds_alternative<engine::Stopping>(happening)) return stop(view);
  return look(view);
}

Result<Plan> RolloutKind::asked(const View& view, const engine::Asked& asked) const {
  if (asked.word != "release") return Kind::asked(view, asked);
  const auto& planned = view.run().task.planned;
  if (!planned || planned->word != kHeld) return fail(ErrorKind::kConflict, "the job is not held");
  const std::size_t released = number_of(View::cell(view.run(), kReleased));
  return Plan{Keep{kReleased, std::to_string(released + 1)}, engine::Set{.word = ""}, More{}};
}

Result<engine::PayloadPtr> RolloutKind::payload(const View& view, const Node& of, TaskId,
                                                const engine::SecretSource& secrets) const {
  const auto id = model::record_of_uuid(label(of, kNodeLabel));
  auto work = node_work(spec_of(view), view.records(), id.value_or(RecordId{}), secrets);
  if (!work) return fail(std::move(work.error()));
  return engine::payload_of(*std::move(work));
}

}  // namespace docket::kinds
