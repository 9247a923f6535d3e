#include "dialects/native/event_feed.h"

#include <utility>

#include "dialects/native/lookup.h"
#include "dialects/native/render.h"
#include "http/sse.h"

namespace docket::native {
namespace {

constexpr std::uint32_t kChunkEvents = 200;

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

EventFeed::EventFeed(engine::Loop& loop, engine::Archive& archive, EventFilter filter,
                     std::optional<EventSeq> after)
    : archive_(archive),
      filter_(std::move(filter)),
      turn_(std::make_shared<Turn>(
          Turn{.sent = after.value_or(EventSeq{}), .caught_up = !after.has_value()})),
      subscription_(loop.subscribe([this](const engine::Notice& notice) { on_notice(notice); })) {}

void EventFeed::next(Next done) {
  if (!turn_->caught_up) return read_store(std::move(done));
  std::string chunk;
  for (const engine::Notice& notice : std::exchange(buffer_, {})) {
    if (notice.event.seq <= turn_->sent) continue;  // the store was quicker
    append_event(chunk, notice.event, notice.run_name);
    turn_->sent = notice.event.seq;
  }
  if (!chunk.empty()) return done(std::move(chunk));
  if (std::exchange(overflowed_, false)) return read_store(std::move(done));
  waiting_ = std::move(done);
}

void EventFeed::on_notice(const engine::Notice& notice) {
  if (!filter_.matches(notice.event)) return;
  if (!waiting_) {
    if (buffer_.size() == kBuffered) overflowed_ = true;
    if (!overflowed_) buffer_.push_back(notice);
    return;
  }
  std::string chunk;
  append_event(chunk, notice.event, notice.run_name);
  turn_->sent = notice.event.seq;
  // The last thing done here: the client may be gone, and this feed with it, when it returns.
  std::exchange(waiting_, nullptr)(std::move(chunk));
}

void EventFeed::read_store(Next done) {
  archive_.read([turn = turn_, filter = filter_, done = std::move(done)](engine::Reader& reader) {
    std::string chunk = read_chunk(reader, filter, *turn);
    // A comment tells a client that it has seen all there was.
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
  RunNames names(reader);
  for (const model::Event& event : page->rows) {
    const auto name = names.of(event.root);
    if (!name) return kUnreadable;
    append_event(chunk, event, *name);
  }
  if (!page->rows.empty()) turn.sent = page->rows.back().seq;
  if (page->next) turn.sent = *page->next;
  turn.caught_up = !page->next;
  return chunk;
}

}  // namespace docket::native
