#include "dialects/metronome/event_page.h"

#include <utility>
#include <vector>

#include "core/json_writer.h"
#include "dialects/metronome/access.h"
#include "dialects/metronome/render.h"
#include "dialects/metronome/stored_runs.h"
#include "http/sse.h"

namespace docket::metronome {
namespace {

using model::Event;
using model::EventType;

constexpr std::uint32_t kPageSize = 100;
constexpr std::size_t kFullBytes = 64 * 1024;  // ends a page, however few its events

RunStatus status_after(const Event& event) {
  if (event.type == EventType::kAttemptChanged) return RunStatus::kActive;
  const bool begun = event.after == model::State::kRunning || event.after == model::State::kPaused;
  return run_status(event.after, begun ? Attempts::kSome : Attempts::kNone, Origin::kNew);
}

// The newest version in force at `at`, by binary search: versions rise with time.
Result<model::JobPtr> definition_at(engine::Reader& reader, JobUid job, Time at) {
  model::JobPtr best;
  std::uint32_t low = 0;  // in force, or the version before the first
  std::uint32_t step = 1;
  bool growing = true;
  while (step > 0) {
    auto found = reader.job_version(job, low + step);
    if (!found) return fail(found.error());
    if (*found && ((**found)->updated_at <= at || low + step == 1)) {
      best = **found;
      low += step;
      if (growing) step *= 2;
    } else {
      growing = false;
    }
    if (!growing) step /= 2;
  }
  return best;
}

Result<std::string> job_json(engine::Reader& reader, const Event& event) {
  auto job = definition_at(reader, event.job, event.at);
  if (!job) return fail(job.error());
  std::string text;
  JsonWriter json(text);
  if (*job && !is_shown(**job)) return text;
  if (*job) {
    write_definition(json, (*job)->definition);
  } else {
    json.begin_object().member("id", event.job_id).end_object();
  }
  return text;
}

// A process may outlive a stopped run; this API does not report its end.
bool is_after_run_end(const Event& event, const model::Task& run) {
  return event.type == EventType::kAttemptChanged && model::is_final(run.state) &&
         event.at > run.finished_at;
}

Result<bool> is_shown(engine::Reader& reader, const model::Task& run) {
  const auto job = reader.job_version(run.job, run.job_version);
  if (!job) return fail(job.error());
  return !*job || metronome::is_shown(***job);
}

// "" when there is nothing to show: retention has removed the run, it had already ended, or it is
// of another kind.
Result<std::string> run_json(engine::Reader& reader, const Event& event) {
  const auto row = reader.task(event.root);
  if (!row) return fail(row.error());
  if (!*row || is_after_run_end(event, (*row)->task)) return std::string();
  const auto shows = is_shown(reader, (*row)->task);
  if (!shows) return fail(shows.error());
  if (!*shows) return std::string();
  const auto attempts = stored_attempts(reader, event.root);
  if (!attempts) return fail(attempts.error());
  std::vector<const model::Task*> shown;
  for (const model::Task& attempt : *attempts) {
    const bool existed = attempt.created_at <= event.at && event.type != EventType::kRunCreated;
    if (existed) shown.push_back(&attempt);
  }
  std::string text;
  JsonWriter json(text);
  write_run(json, event.job_id, (*row)->task, status_after(event), shown);
  return text;
}

Result<std::string> event_text(engine::Reader& reader, const Event& event) {
  const char* name = event_name(event);
  if (!name) return std::string();
  auto data = event.root ? run_json(reader, event) : job_json(reader, event);
  if (!data) return fail(data.error());
  if (data->empty()) return std::string();
  return http::format_event(name, std::to_string(event.seq.value), *data);
}

}  // namespace

const char* event_name(const Event& event) {
  switch (event.type) {
    case EventType::kJobCreated:
      return "job_created";
    case EventType::kJobUpdated:
      return "job_updated";
    case EventType::kJobDeleted:
      return "job_deleted";
    case EventType::kRunCreated:
      return "job_run_started";
    case EventType::kAttemptChanged:
      return "job_run_updated";
    case EventType::kTaskCreated:
    case EventType::kTaskChanged:
    case EventType::kTaskNote:
      return nullptr;  // operations are not jobs
    case EventType::kRunChanged:
      break;
  }
  if (event.after == model::State::kDone) return "job_run_finished";
  if (model::is_final(event.after)) return "job_run_failed";
  return event.after == model::State::kRunning ? "job_run_updated" : nullptr;
}

Result<EventPage> read_event_page(engine::Reader& reader, EventSeq after,
                                  const http::Identity& caller) {
  engine::EventQuery query;
  query.after = after;
  query.limit = kPageSize;
  const auto events = reader.events(query);
  if (!events) return fail(events.error());
  EventPage page{.text = {}, .last = after, .full = events->size() == kPageSize};
  for (const Event& event : *events) {
    page.last = event.seq;
    if (!may(caller, http::Action::kRead, event.job_id)) continue;
    auto text = event_text(reader, event);
    if (!text) return fail(text.error());
    page.text += *text;
    if (page.text.size() < kFullBytes) continue;
    page.full = true;
    break;
  }
  return page;
}

}  // namespace docket::metronome
