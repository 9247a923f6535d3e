#include "dialects/native/event_feed.h"

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/render.h"
#include "http/sse.h"

namespace docket::native {
namespace {

constexpr std::uint32_t kChunkEvents = 200;
constexpr std::size_t kChunkBytes = 32 * 1024;

void append_event(std::string& out, const model::Event& event, std::string_view run_name) {
  std::string data;
  JsonWriter json(data);
  write_event(json, event, run_name);
  out += http::format_event(model::name_of(event.type), std::to_string(event.seq.value), data);
}

}  // namespace

bool EventFilter::matches(const model::Event& event) const {
  return (!root || event.root == *root) && (!task || event.task == *task) &&
         (!job || event.job == *job) && (job_id.empty() || event.job_id == job_id);
}

EventFeed::EventFeed(engine::Loop& loop, engine::Archive& archive,
                     std::shared_ptr<RecentEvents> recent, EventFilter filter,
                     std::optional<EventSeq> after)
    : archive_(archive),
      filter_(std::move(filter)),
      turn_(std::make_shared<Turn>(
          Turn{.sent = after.value_or(recent->newest()), .caught_up = !after.has_value()})),
      recent_(std::move(recent)),
      subscription_(loop.subscribe([this](const engine::Notice& notice) { on_notice(notice); })) {}

void EventFeed::next(Next done) {
  if (!turn_->caught_up || !recent_->reaches_back_to(turn_->sent)) {
    return read_store(std::move(done));
  }
  std::string chunk = read_recent();
  if (!chunk.empty()) return done(std::move(chunk));
  waiting_ = std::move(done);
}

std::string EventFeed::read_recent() {
  const auto& events = recent_->all();
  auto event = std::ranges::upper_bound(
      events, turn_->sent, {}, [](const engine::Notice& notice) { return notice.event.seq; });
  std::string chunk;
  for (; event != events.end() && chunk.size() < kChunkBytes; ++event) {
    turn_->sent = event->event.seq;
    if (filter_.matches(event->event)) append_event(chunk, event->event, event->run_name);
  }
  return chunk;
}

void EventFeed::on_notice(const engine::Notice& notice) {
  if (!waiting_ || !filter_.matches(notice.event)) return;
  std::string chunk;
  append_event(chunk, notice.event, notice.run_name);
  turn_->sent = notice.event.seq;
  // Must come last: the call may destroy the client, and this feed with it.
  std::exchange(waiting_, nullptr)(std::move(chunk));
}

void EventFeed::read_store(Next done) {
  // Everything that followers have been told is in the store.
  archive_.read([turn = turn_, filter = filter_, until = recent_->newest(),
                 done = std::move(done)](engine::Reader& reader) {
    std::string chunk = read_chunk(reader, filter, *turn);
    if (turn->caught_up) turn->sent = std::max(turn->sent, until);
    // A comment line tells the client that it has caught up.
    if (chunk.empty()) chunk = turn->caught_up ? ": caught up\n\n" : ":\n\n";
    done(std::move(chunk));
  });
}

std::string EventFeed::read_chunk(engine::Reader& reader, const EventFilter& filter, Turn& turn) {
  engine::EventQuery query;
  query.root = filter.root;
  query.task = filter.task;
  query.job = filter.job;
  query.after = turn.sent;
  query.limit = kChunkEvents;
  std::function<bool(const model::Event&)> keep;
  if (!filter.job_id.empty()) {
    keep = [&](const model::Event& event) { return event.job_id == filter.job_id; };
  }
  constexpr const char* kUnreadable = ": the events cannot be read now\n\n";
  const auto page = read_events(reader, query, keep);
  if (!page) return kUnreadable;
  std::string chunk;
  Runs runs(reader);
  for (const model::Event& event : page->rows) {
    const auto name = runs.name_of(event.root);
    if (!name) return kUnreadable;
    append_event(chunk, event, *name);
  }
  if (!page->rows.empty()) turn.sent = page->rows.back().seq;
  if (page->next) turn.sent = *page->next;
  turn.caught_up = !page->next;
  return chunk;
}

}  // namespace docket::native
