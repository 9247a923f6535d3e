#include "kinds/process/process_kind.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/exit_words.h"
#include "core/json_reader.h"
#include "engine/batch.h"
#include "kinds/process/flaws.h"
#include "kinds/process/spec.h"
#include "model/secret_path.h"

namespace docket::kinds {
namespace {

using engine::Finish;
using engine::Launch;
using engine::Plan;
using engine::Wake;

// Its wake-ups.
constexpr const char* kNextAttempt = "backoff";
constexpr const char* kTimeout = "timeout";

static_assert(kAttemptsMax <= engine::kAttemptsKept, "attempt_ended() counts what is kept");

const ProcessSpec& spec_of(const model::Job& job) { return process_of(job.definition.spec); }
const ProcessSpec& spec_of(const engine::View& view) { return spec_of(view.job()); }

// More than any node has, and small enough that the demands of a million runs add up without
// overflow.
constexpr std::int64_t kMostDemanded = 1'000'000'000'000;

std::int64_t scaled(double amount, double unit) {
  return std::llround(std::min(amount * unit, static_cast<double>(kMostDemanded)));
}

// Why this server cannot run the spec at all; empty when it can.
std::string unsupported(const ProcessSpec& spec) {
  if (spec.docker) return "Docker containers are not supported by this server yet";
  if (spec.ucr) return "UCR containers are not supported by this server yet";
  for (const Volume& volume : spec.volumes) {
    if (std::holds_alternative<HostVolume>(volume)) {
      return "Host volumes need a container, and containers are not supported by this server yet";
    }
  }
  return {};
}

// A secret that is used but not defined; the doors refuse such a spec, an older store may still
// hold one.
Error undefined_secret(const std::string& name) {
  return {.kind = ErrorKind::kInvalid,
          .message = fmt::format("secret \"{}\" is used but not defined", name)};
}

std::vector<std::string> used_secrets(const ProcessSpec& spec) {
  std::vector<std::string> names;
  for (const auto& [variable, value] : spec.env) {
    if (const auto* secret = std::get_if<SecretRef>(&value)) names.push_back(secret->name);
  }
  for (const Volume& volume : spec.volumes) {
    if (const auto* secret = std::get_if<SecretVolume>(&volume)) names.push_back(secret->secret);
  }
  return names;
}

// The same for a secret of a group that the job is not in.
Error secret_of_others(const std::string& job_id, const std::string& source) {
  return {.kind = ErrorKind::kDenied,
          .message = fmt::format("secret \"{}\" belongs to group {}: job {} may not use it", source,
                                 model::secret_group(source), job_id)};
}

// Values of the spec's secrets by their names; each is fetched once, however often it is used.
Result<std::map<std::string, std::string>> fetch(const std::string& job_id, const ProcessSpec& spec,
                                                 const engine::SecretSource& secrets) {
  std::map<std::string, std::string> values;
  for (const auto& [name, source] : spec.secrets) {
    if (!model::may_use_secret(job_id, source)) return fail(secret_of_others(job_id, source));
    auto value = secrets.secret(source);
    if (!value) return fail(value.error());
    values.emplace(name, std::move(*value));
  }
  for (const std::string& name : used_secrets(spec)) {
    if (!values.contains(name)) return fail(undefined_secret(name));
  }
  return values;
}

// A file may hold any bytes, a variable may not.
Result<> check_variables(const ProcessSpec& spec,
                         const std::map<std::string, std::string>& secrets) {
  for (const auto& [name, value] : spec.env) {
    const auto* reference = std::get_if<SecretRef>(&value);
    const char* flaw =
        reference ? model::flaw_of_variable(name, secrets.at(reference->name)) : nullptr;
    if (!flaw) continue;
    return fail(ErrorKind::kInvalid, fmt::format("secret \"{}\" cannot be the variable {}: it {}",
                                                 reference->name, name, flaw));
  }
  return {};
}

void set(StringPairs& env, const std::string& name, std::string value) {
  for (auto& [key, old] : env) {
    if (key == name) {
      old = std::move(value);
      return;
    }
  }
  env.emplace_back(name, std::move(value));
}

// The job's own variables win over docket's, and the run's parameters over the job's.
StringPairs environment(const model::Job& job, const model::Task& run, TaskId attempt,
                        const std::map<std::string, std::string>& secrets) {
  // The task id that the Metronome door shows (reference section 7): segments joined by '_'.
  std::string segments = job.id();
  std::ranges::replace(segments, '.', '_');
  const std::string task_id = fmt::format("{}_{}.{}", segments, run.name, model::uuid_of(attempt));
  StringPairs env{{"DOCKET_JOB_ID", job.id()},
                  {"DOCKET_RUN_ID", run.name},
                  {"DOCKET_TASK_ID", task_id},
                  {"MESOS_TASK_ID", task_id}};
  for (const auto& [name, value] : spec_of(job).env) {
    const auto* reference = std::get_if<SecretRef>(&value);
    set(env, name, reference ? secrets.at(reference->name) : std::get<std::string>(value));
  }
  if (run.parameters) {
    for (const auto& [name, value] : run.parameters->env) set(env, name, value);
  }
  return env;
}

std::vector<runner::SecretFile> secret_files(const ProcessSpec& spec,
                                             const std::map<std::string, std::string>& secrets) {
  std::vector<runner::SecretFile> files;
  for (const Volume& volume : spec.volumes) {
    if (const auto* secret = std::get_if<SecretVolume>(&volume)) {
      files.push_back(
          {std::string(model::secret_file(secret->container_path)), secrets.at(secret->secret)});
    }
  }
  return files;
}

// The Go client of DC/OS sends 0 for "not given".
Duration grace(const ProcessSpec& spec, Duration otherwise) {
  if (!spec.kill_grace_s || *spec.kill_grace_s <= 0) return otherwise;
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(*spec.kill_grace_s, 86400.0)));
}

// A lost attempt may have done all of its work: it is not started again unless the job allows
// that.
bool may_try_again(const ProcessSpec& spec, const model::Task& run, bool lost, Time now) {
  const bool wanted = spec.restart.policy == RestartPolicy::kOnFailure ||
                      (lost && spec.on_lost == OnLost::kRestart);
  if (!wanted) return false;
  if (!spec.restart.active_deadline_s) return true;
  return now < run.created_at + std::chrono::seconds{*spec.restart.active_deadline_s};
}

// Doubled with each attempt, then drawn at random between half of that and all of it, so that jobs
// that failed together are not tried again together.
Duration pause_after(const Restart& restart, std::size_t attempts, std::uint64_t draw) {
  if (!restart.backoff && attempts <= 1) return Duration::zero();
  const Backoff backoff = restart.backoff.value_or(Backoff{});
  const std::size_t doublings = attempts - (restart.backoff ? 1 : 2);
  const double longest = std::min(std::ldexp(backoff.first_s, static_cast<int>(doublings)),
                                  std::max(backoff.first_s, backoff.max_s));
  const double share = 0.5 + std::ldexp(static_cast<double>(draw), -65);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(longest * share));
}

Wake next_attempt(Time at, const std::string& why) {
  return {.name = kNextAttempt,
          .at = at,
          .why = fmt::format("its last attempt failed ({}); the next starts then", why),
          .begins_work = true};
}

Plan& with_timeout(Plan& plan, const ProcessSpec& spec, Time started) {
  if (spec.timeout_s) {
    plan.emplace_back(Wake{.name = kTimeout,
                           .at = started + std::chrono::seconds{*spec.timeout_s},
                           .why = "it fails then if it has not ended"});
  }
  return plan;
}

Plan begin(const engine::View& view) {
  Plan plan{Launch{}};
  return with_timeout(plan, spec_of(view), view.now());
}

Plan attempt_ended(const engine::View& view, const engine::Ended& ended) {
  const engine::AttemptReport& report = ended.report;
  if (report.succeeded()) return {Finish{}};
  const model::State failed = model::State::kFailed;
  std::string why =
      report.message.empty() ? words_of_exit(report.exit_code, report.signal) : report.message;
  const ProcessSpec& spec = spec_of(view);
  const bool lost = report.phase == engine::AttemptPhase::kLost;
  const Duration pause = pause_after(spec.restart, view.attempts(), view.draw());
  const bool again = may_try_again(spec, view.run().task, lost, view.now() + pause);
  if (!ended.launched || !again) return {Finish{failed, std::move(why)}};
  const auto most = spec.restart.max_attempts;
  if (most && view.attempts() >= static_cast<std::size_t>(*most)) {
    return {Finish{failed, fmt::format("{}, after {} attempts", why, view.attempts())}};
  }
  return {next_attempt(view.now() + pause, why)};
}

Plan due(const engine::View& view, std::string_view name) {
  if (name == kNextAttempt) return {Launch{}};
  return {engine::Stop{},
          Finish{model::State::kFailed,
                 fmt::format("Timed out after {} s", spec_of(view).timeout_s.value_or(0))}};
}

// After a restart. How much is left of a pause between two attempts is not known: it is over.
Plan look(const engine::View& view) {
  const engine::Node& run = view.run();
  Plan plan;
  if (run.live_attempts == 0 && !view.awaits(kNextAttempt)) {
    const auto last = run.children().empty() ? "" : model::reason_of(run.newest_child().task);
    plan.emplace_back(next_attempt(view.now(), last));
  }
  return with_timeout(plan, spec_of(view), run.task.started_at);
}

}  // namespace

model::SpecBodyPtr ProcessKind::read(JsonReader& in) const {
  return spec_of(read_process_spec(in)).body;
}

void ProcessKind::check(const model::JobDefinition& definition, model::Flaws& flaws) const {
  check_process(definition, flaws);
}

model::Needs ProcessKind::needs(const model::Job& job, const model::RunParameters*,
                                std::string_view) const {
  const ProcessSpec& spec = spec_of(job);
  return {.demand = {.cpus_micro = scaled(spec.cpus, 1e6),
                     .mem_kib = scaled(spec.mem, 1024),
                     .disk_kib = scaled(spec.disk, 1024),
                     .gpus = std::min(spec.gpus, kMostDemanded)},
          .constraints = spec.constraints,
          .locks = spec.locks};
}

Plan ProcessKind::plan(const engine::View& view, const engine::Happening& happening) const {
  if (std::holds_alternative<engine::Placed>(happening)) return begin(view);
  if (const auto* ended = std::get_if<engine::Ended>(&happening))
    return attempt_ended(view, *ended);
  if (const auto* wake = std::get_if<engine::Due>(&happening)) return due(view, wake->name);
  if (const auto* stopping = std::get_if<engine::Stopping>(&happening)) {
    return {engine::Stop{}, Finish{model::State::kAborted, std::string(stopping->reason)}};
  }
  return look(view);
}

Result<engine::PayloadPtr> ProcessKind::payload(const engine::View& view, const engine::Node&,
                                                TaskId attempt,
                                                const engine::SecretSource& secrets) const {
  const ProcessSpec& spec = spec_of(view);
  if (std::string reason = unsupported(spec); !reason.empty()) {
    return fail(ErrorKind::kInvalid, std::move(reason));
  }
  const auto values = fetch(view.job().id(), spec, secrets);
  if (!values) return fail(values.error());
  if (const auto sound = check_variables(spec, *values); !sound) return fail(sound.error());
  runner::LaunchSpec launch;
  launch.cmd = spec.cmd;
  launch.args = spec.args.value_or(std::vector<std::string>{});
  launch.user = spec.user.value_or("");
  launch.env = environment(view.job(), view.run().task, attempt, *values);
  launch.secret_files = secret_files(spec, *values);
  launch.artifacts = spec.artifacts;
  using enum Limits;
  launch.cpus = spec.limits == kAll || spec.limits == kCpus ? spec.cpus : 0;
  launch.mem_mib = spec.limits == kAll || spec.limits == kMem ? spec.mem : 0;
  launch.disk_mib = spec.disk;
  launch.kill_grace = grace(spec, default_grace_);
  return engine::payload_of(std::move(launch));
}

}  // namespace docket::kinds
