#include "dialects/metronome/queue_writer.h"

#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json_writer.h"
#include "dialects/metronome/access.h"
#include "dialects/metronome/pieces.h"

namespace docket::metronome {
namespace {

// Up to this many runs are written in one turn, from the queue. Beyond that the jobs are walked,
// because the queue is not ordered by job.
constexpr std::size_t kShortQueue = 256;
constexpr std::size_t kScanMax = 1000;  // jobs examined in one turn

void write_run_id(JsonWriter& json, std::string_view run) {
  json.begin_object().member("runId", run).end_object();
}

}  // namespace

Result<bool> QueueWriter::operator()(const engine::Engine& engine, JsonWriter& json,
                                     const std::string& text) {
  if (std::exchange(begun_, true)) {
    if (write_long(engine, json, text)) return true;
  } else {
    json.begin_array();
    if (engine.queue().size() <= kShortQueue) {
      write_short(engine, json);
    } else if (write_long(engine, json, text)) {
      return true;
    }
  }
  json.end_array();
  return false;
}

void QueueWriter::write_short(const engine::Engine& engine, JsonWriter& json) const {
  std::map<std::string_view, std::vector<std::string_view>> jobs;
  for (const auto& [task, waits] : engine.queue().waiting()) {
    const engine::Node* run = waits.task;
    if (!is_shown(*run->job) || !may(*caller_, http::Action::kRead, run->job->id())) continue;
    jobs[run->job->id()].push_back(run->task.name);
  }
  for (const auto& [id, runs] : jobs) {
    json.begin_object().member("jobId", id).key("runs").begin_array();
    for (std::string_view run : runs) write_run_id(json, run);
    json.end_array().end_object();
  }
}

// True when there is more to write.
bool QueueWriter::write_long(const engine::Engine& engine, JsonWriter& json,
                             const std::string& text) {
  const auto& jobs = engine.jobs();
  auto job = open_ ? jobs.lower_bound(job_) : jobs.upper_bound(job_);
  if (open_ && (job == jobs.end() || job->first != job_)) end(json);  // it is gone
  for (std::size_t seen = 0; job != jobs.end(); ++job, ++seen) {
    if (text.size() >= kTurnBytes || seen == kScanMax) return true;
    job_ = job->first;
    const bool wanted = !job->second->active.empty() && is_shown(job->second->job());
    if (!wanted || !may(*caller_, http::Action::kRead, job_)) continue;
    if (!write_runs(engine, *job->second, json, text)) return true;
  }
  return false;
}

// False when its runs do not fit.
bool QueueWriter::write_runs(const engine::Engine& engine, const engine::JobEntry& entry,
                             JsonWriter& json, const std::string& text) {
  for (auto run = entry.active.upper_bound(after_); run != entry.active.end(); ++run) {
    if (!engine.queue().waiting().contains(run->first)) continue;
    if (open_ && text.size() >= kTurnBytes) return false;
    begin(json, entry.id());
    write_run_id(json, run->second->task.name);
    after_ = run->first;
  }
  end(json);
  return true;
}

void QueueWriter::begin(JsonWriter& json, const std::string& job) {
  if (std::exchange(open_, true)) return;
  json.begin_object().member("jobId", job).key("runs").begin_array();
}

void QueueWriter::end(JsonWriter& json) {
  if (std::exchange(open_, false)) json.end_array().end_object();
  after_ = TaskId{};
}

}  // namespace docket::metronome
