#include "kinds/test/test_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/exit_words.h"
#include "exec/runner/launch.h"
#include "exec/test/launch.h"

namespace docket::kinds {
namespace {

using engine::Finish;
using engine::Launch;
using engine::More;
using engine::Node;
using engine::Plan;
using engine::Spawn;
using engine::View;
using engine::Wake;
using model::State;

Duration seconds(double count) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(count));
}

// Its one wake-up: steps may start.
constexpr const char* kGo = "go";

const TestSpec& spec_of(const View& view) { return test_of(view.job().definition.spec); }

const TestStep* find(const std::vector<TestStep>& steps, std::string_view key) {
  const auto slash = key.find('/');
  const auto found = std::ranges::find(steps, key.substr(0, slash), &TestStep::name);
  if (found == steps.end()) return nullptr;
  return slash == std::string_view::npos ? &*found : find(found->steps, key.substr(slash + 1));
}

std::string below(const std::string& key, const std::string& name) {
  return key.empty() ? name : fmt::format("{}/{}", key, name);
}

std::string above(const std::string& key) {
  const auto slash = key.rfind('/');
  return slash == std::string::npos ? std::string() : key.substr(0, slash);
}

// Every step with its key, parents first, until visit says no.
using Visit =
    std::function<bool(const TestStep&, const std::string& under, const std::string& key)>;
bool walk(const std::vector<TestStep>& steps, const std::string& under, const Visit& visit) {
  return std::ranges::all_of(steps, [&](const TestStep& step) {
    const std::string key = below(under, step.name);
    return visit(step, under, key) && walk(step.steps, key, visit);
  });
}

// ---- needs

constexpr Duration kLate = std::chrono::hours{1};

model::Needs needs_of(const TestNeeds& needs) {
  model::Needs out{.demand = {.cpus_micro = std::llround(needs.cpus * 1e6),
                              .mem_kib = std::llround(needs.mem * 1024)},
                   .locks = needs.locks};
  if (needs.patience_s) out.patience = seconds(*needs.patience_s);
  return out;
}

// From the run's environment: NOT_BEFORE=2026-11-28T21:00:00Z.
Time not_before(const model::RunParameters* parameters) {
  if (!parameters) return kNever;
  const auto request =
      std::ranges::find(parameters->env, kNotBefore, &StringPairs::value_type::first);
  if (request == parameters->env.end()) return kNever;
  return parse_time(request->second).value_or(kNever);
}

// ---- memory: how many steps were spawned, since folded ones are no longer seen; and for each
// group whether a folded step of it failed.
constexpr const char* kSpawned = "spawned";
constexpr const char* kFailed = "failed";

std::size_t spawned(const View& view) {
  const std::string text(View::cell(view.run(), kSpawned));
  return text.empty() ? 0 : std::stoul(text);
}

// The next steps of the tree; none when it is complete.
Plan spawn(const View& view) {
  constexpr std::size_t kAtOnce = engine::kPlanMax - 2;
  const std::size_t before = spawned(view);
  std::size_t at = 0;
  Plan plan;
  walk(spec_of(view).steps, "",
       [&](const TestStep& step, const std::string& under, const std::string& key) {
         if (at++ < before) return true;
         if (plan.size() == kAtOnce) return false;
         plan.emplace_back(Spawn{.key = key,
                                 .under = under,
                                 .type = step.steps.empty() ? "leaf" : "group",
                                 .folds = step.folds});
         return true;
       });
  if (plan.empty()) return plan;
  plan.emplace_back(engine::Keep{kSpawned, std::to_string(before + plan.size())});
  plan.emplace_back(More{});
  return plan;
}

// ---- groups end with their last step

bool all_ended(const Node& group) {
  return std::ranges::all_of(group.children(), [](const auto& child) {
    return child.second->is_final() || child.second->is_attempt();
  });
}

bool has_failed(const Node& group) {
  return !View::cell(group, kFailed).empty() ||
         std::ranges::any_of(group.children(), [](const auto& child) {
           return child.second->is_step() && child.second->task.state != State::kDone &&
                  child.second->is_final();
         });
}

// A group that folds leaves a mark above it if it has failed.
void finish(Plan& plan, const TestStep& step, const std::string& key, State state,
            std::string message) {
  if (step.folds && state != State::kDone)
    plan.emplace_back(engine::Keep{kFailed, "1", above(key)});
  plan.emplace_back(Finish{state, std::move(message), key});
}

Plan finish_groups(const View& view) {
  Plan plan;
  walk(spec_of(view).steps, "",
       [&](const TestStep& step, const std::string&, const std::string& key) {
         const Node* group = view.step(key);
         if (step.steps.empty() || !group || group->is_final() || !all_ended(*group)) return true;
         if (plan.size() + 3 > engine::kPlanMax) return false;
         finish(plan, step, key, has_failed(*group) ? State::kFailed : State::kDone, {});
         return true;
       });
  if (!plan.empty()) plan.emplace_back(More{});
  return plan;
}

// ---- leaves start

Launch launch(const TestStep& step, const std::string& key) {
  return {.key = key, .executor = step.in_server ? test_executor::kName : ""};
}

Plan start(const View& view) {
  const TestSpec& spec = spec_of(view);
  if (view.run().task.state == State::kPaused) return {};
  const auto most = static_cast<std::size_t>(spec.concurrency);
  std::size_t free = most - std::min<std::size_t>(view.run().live_attempts, most);
  if (spec.pause_s > 0) free = std::min<std::size_t>(free, 1);
  Plan plan;
  walk(spec.steps, "", [&](const TestStep& step, const std::string&, const std::string& key) {
    if (free == 0) return false;
    const Node* leaf = view.step(key);
    const bool waits_itself = needs_of(step.needs).any();
    if (!step.steps.empty() || waits_itself || !leaf || leaf->task.state != State::kCreated) {
      return true;
    }
    plan.emplace_back(launch(step, key));
    --free;
    return true;
  });
  if (spec.pause_s > 0 && !plan.empty()) {
    plan.emplace_back(Wake{.name = kGo,
                           .at = view.now() + seconds(spec.pause_s),
                           .why = "the next step starts then",
                           .begins_work = true});
  }
  return plan;
}

// ---- what happened

// Patience begins anew with each restart of the server.
Plan go_on_stopping(const TestSpec& spec) {
  if (spec.on_stop != OnStop::kAwait) return {};
  engine::Stop stop;
  if (spec.stop_patience_s) stop.patience = seconds(*spec.stop_patience_s);
  return {stop};
}

Plan look(const View& view) {
  const Node& run = view.run();
  if (Plan plan = spawn(view); !plan.empty()) return plan;
  if (Plan plan = finish_groups(view); !plan.empty()) return plan;
  if (all_ended(run)) return {Finish{has_failed(run) ? State::kFailed : State::kDone}};
  if (run.task.stopping) {
    if (run.live_attempts > 0) return go_on_stopping(spec_of(view));
    return {Finish{State::kAborted, "Stopped"}};
  }
  if (view.awaits(kGo) || run.task.state == State::kPaused) return {};
  return {Wake{
      .name = kGo, .at = view.now(), .why = "steps wait for those that work", .begins_work = true}};
}

// It begins now, however many others work.
Plan leaf_placed(const View& view, const Node& leaf) {
  const std::string& key = leaf.task.planned->key;
  const TestStep& step = *find(spec_of(view).steps, key);
  if (!view.run().task.stopping) return {launch(step, key)};
  Plan plan;
  finish(plan, step, key, State::kAborted, {});
  plan.emplace_back(More{});
  return plan;
}

Plan leaf_ended(const View& view, const engine::Ended& ended) {
  const engine::AttemptReport& report = ended.report;
  const std::string& key = ended.of.task.planned->key;
  const TestStep& step = *find(spec_of(view).steps, key);
  const bool lost = report.phase == engine::AttemptPhase::kLost;
  const bool goes_on = !ended.of.is_final() && !view.run().task.stopping;
  if (lost && goes_on && spec_of(view).restarts_lost) return {launch(step, key)};
  std::string why = report.message;
  if (!report.succeeded() && why.empty()) why = words_of_exit(report.exit_code, report.signal);
  Plan plan;
  if (!ended.of.is_final()) {
    finish(plan, step, key, report.succeeded() ? State::kDone : State::kFailed, std::move(why));
  }
  plan.emplace_back(More{});
  return plan;
}

Plan stopping(const View& view, std::string_view reason) {
  if (spec_of(view).on_stop == OnStop::kDrain && !view.run().task.stopping) {
    return {engine::Set{.word = "draining"},
            engine::Note{{"steps that have started run to their end"}}, More{}};
  }
  if (spec_of(view).on_stop == OnStop::kAwait) {
    Plan plan = go_on_stopping(spec_of(view));
    plan.emplace_back(engine::Set{.word = "stopping"});
    plan.emplace_back(More{});
    return plan;
  }
  return {engine::Stop{}, Finish{State::kAborted, std::string(reason)}};
}

}  // namespace

model::SpecBodyPtr TestKind::read(JsonReader& in) const {
  return kinds::spec_of(read_test_spec(in)).body;
}

void TestKind::check(const model::JobDefinition& definition, model::Flaws& flaws) const {
  walk(test_of(definition.spec).steps, "",
       [&](const TestStep& step, const std::string&, const std::string& key) {
         flaws.check(step.name, TextUse::kName, "/spec/steps: {}", key);
         return true;
       });
}

model::Needs TestKind::needs(const model::Job& job, const model::RunParameters* parameters,
                             std::string_view key) const {
  const TestSpec& spec = test_of(job.definition.spec);
  if (key.empty()) {
    model::Needs needs = needs_of(spec.needs);
    needs.not_before = not_before(parameters);
    if (needs.not_before != kNever) needs.late = kLate;
    return needs;
  }
  return needs_of(find(spec.steps, key)->needs);
}

Plan TestKind::plan(const View& view, const engine::Happening& happening) const {
  if (const auto* ended = std::get_if<engine::Ended>(&happening)) return leaf_ended(view, *ended);
  if (const auto* placed = std::get_if<engine::Placed>(&happening); placed && placed->of.parent) {
    return leaf_placed(view, placed->of);
  }
  if (const auto* asked = std::get_if<engine::Stopping>(&happening)) {
    return stopping(view, asked->reason);
  }
  if (std::holds_alternative<engine::Due>(happening) && !view.run().task.stopping) {
    return start(view);
  }
  return look(view);
}

Result<Plan> TestKind::asked(const View& view, const engine::Asked& asked) const {
  const bool paused = view.run().task.state == State::kPaused;
  if (asked.word == "pause") {
    if (paused) return fail(ErrorKind::kConflict, "the run is paused already");
    return Plan{engine::Set{.state = State::kPaused}};
  }
  if (asked.word != "resume") return Kind::asked(view, asked);
  if (!paused) return fail(ErrorKind::kConflict, "the run is not paused");
  return Plan{engine::Set{.state = State::kRunning}, More{}};
}

Result<engine::PayloadPtr> TestKind::payload(const View& view, const Node& of, TaskId attempt,
                                             const engine::SecretSource&) const {
  const TestStep* leaf = find(spec_of(view).steps, of.task.planned->key);
  if (leaf->in_server) {
    return engine::payload_of(
        test_executor::TestWork{.takes = seconds(leaf->seconds),
                                .exit_code = leaf->fails ? 1 : 0,
                                .parts = static_cast<std::uint32_t>(leaf->parts),
                                .facts = fmt::format(R"({{"attempt":"{}"}})", attempt.value),
                                .result = leaf->result});
  }
  runner::LaunchSpec launch;
  launch.cmd = fmt::format("sleep {}; exit {}", leaf->seconds, leaf->fails ? 1 : 0);
  if (const auto& parameters = view.run().task.parameters) launch.env = parameters->env;
  return engine::payload_of(std::move(launch));
}

}  // namespace docket::kinds
