#include "sim/expectations.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "support/fakes.h"

namespace docket::sim {
namespace {

// Stopped at once, or when what had started has ended; which may have been everything.
bool is_stopped(const model::Task& run) {
  return run.state == model::State::kAborted || run.stopping;
}

}  // namespace

std::string job_key(const std::string& job) { return "job " + job; }
std::string schedule_key(const std::string& job, const std::string& schedule) {
  return "schedule " + job + "/" + schedule;
}

std::string secret_key(const std::string& path) { return "secret " + path; }

Mark mark_of(const model::Job& job) {
  std::int64_t mark = 0;
  for (const auto& [name, value] : job.definition.labels) {
    if (name == "mark") std::from_chars(value.data(), value.data() + value.size(), mark);
  }
  return mark;
}

Mark mark_of(const model::Schedule& schedule) { return schedule.definition.starting_deadline_s; }

Mark mark_of(const model::SealedSecret& secret) {
  const std::string plain = testing::FakeVault{}.unseal(secret.path, secret.sealed).value();
  std::int64_t mark = 0;
  std::from_chars(plain.data(), plain.data() + plain.size(), mark);
  return mark;
}

void Expectations::may_happen(const Effect& effect) {
  for (const auto& [key, mark] : effect.writes) {
    auto& marks = possible_.try_emplace(key, std::vector<Mark>{std::nullopt}).first->second;
    if (!std::ranges::count(marks, mark)) marks.push_back(mark);
  }
}

void Expectations::acknowledged(const Effect& effect) {
  for (const auto& [key, mark] : effect.writes) {
    possible_[key] = {mark};
    check_write(key, recorded(key));
  }
  if (effect.started) {
    started_.push_back(effect.started);
    verdict_.require(record_.task(effect.started) != nullptr, "an acknowledged run is durable",
                     fmt::format("run {}", effect.started.value));
  }
  if (effect.stopped) {
    stopped_.push_back(effect.stopped);
    const model::Task* run = record_.task(effect.stopped);
    verdict_.require(run && is_stopped(*run), "an acknowledged stop is durable",
                     run ? fmt::format("run {} is {}: {}", run->id.value,
                                       model::name_of(run->state), run->message)
                         : fmt::format("run {}", effect.stopped.value));
  }
}

Mark Expectations::recorded(const std::string& key) const {
  const std::size_t space = key.find(' ');
  if (key.starts_with("secret ")) {
    const auto secret = record_.secrets.find(key.substr(space + 1));
    return secret == record_.secrets.end() ? std::nullopt : mark_of(secret->second);
  }
  const std::size_t slash = key.find('/');
  const std::string id =
      key.substr(space + 1, slash == std::string::npos ? slash : slash - space - 1);
  const JobLife* life = record_.job(id);
  if (!life) return std::nullopt;
  if (slash == std::string::npos) return mark_of(*life->row.job);
  for (const auto& [uid, schedule] : record_.schedules) {
    if (schedule.job == life->row.job->uid && schedule.definition.id == key.substr(slash + 1))
      return mark_of(schedule);
  }
  return std::nullopt;
}

void Expectations::check_write(const std::string& key, const Mark& actual) {
  const auto it = possible_.find(key);
  const auto show = [](const Mark& mark) { return mark ? std::to_string(*mark) : "nothing"; };
  std::string wanted;
  if (it != possible_.end()) {
    if (std::ranges::count(it->second, actual)) return;
    for (const Mark& mark : it->second) wanted += show(mark) + " ";
  }
  verdict_.violated("an acknowledged write is durable",
                    key + ": found " + show(actual) + ", expected " + wanted);
}

std::map<std::string, Mark> Expectations::stored(const engine::Snapshot& snapshot) const {
  std::map<std::string, Mark> found;
  for (const auto& [key, marks] : possible_) found[key] = std::nullopt;
  std::map<JobUid, std::string> ids;
  for (const engine::JobRow& row : snapshot.jobs) {
    if (row.deleted) continue;
    ids[row.job->uid] = row.job->id();
    found[job_key(row.job->id())] = mark_of(*row.job);
  }
  for (const model::Schedule& schedule : snapshot.schedules) {
    found[schedule_key(ids[schedule.job], schedule.definition.id)] = mark_of(schedule);
  }
  for (const model::SealedSecret& secret : snapshot.secrets)
    found[secret_key(secret.path)] = mark_of(secret);
  return found;
}

void Expectations::check_definitions(const engine::Snapshot& snapshot) {
  for (const auto& [key, mark] : stored(snapshot)) check_write(key, mark);
}

void Expectations::check_runs(const store::MemoryState& state) {
  for (const TaskId run : started_) {
    verdict_.require(state.task(run) != nullptr || record_.may_be_swept(run),
                     "an acknowledged run is never lost", fmt::format("run {}", run.value));
  }
  for (const TaskId run : stopped_) {
    const model::Task* task = state.task(run);
    verdict_.require(task ? is_stopped(*task) : record_.may_be_swept(run),
                     "an acknowledged stop is never lost", fmt::format("run {}", run.value));
  }
}

void Expectations::check_all_ended() {
  for (const TaskId run : started_) {
    verdict_.require(!record_.is_live(run), "every run ends", fmt::format("run {}", run.value));
  }
}

}  // namespace docket::sim
