// Events: the log of all changes, as pages or as a live stream (Server-Sent Events).

#include <utility>

#include "dialects/native/answer.h"
#include "dialects/native/event_feed.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

EventFilter read_filter(Query& query) {
  return {.root = query.id<TaskId>("root"),
          .task = query.id<TaskId>("task"),
          .job = query.id<JobUid>("jobUid"),
          .job_id = query.text("job").value_or("")};
}

bool wants_stream(const http::Request& request, Query& query) {
  const auto accept = request.header("accept").value_or("");
  return accept.find("text/event-stream") != std::string_view::npos || query.flag("follow");
}

// Subscribes first, and answers once everything that happened before is durable: the store and the
// subscription together then hold every event.
void follow_events(const Context& door, EventFilter filter, std::optional<EventSeq> after,
                   http::Reply reply) {
  http::Response response{.content_type = "text/event-stream"};
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  auto recent = door.recent.lock();
  if (!recent) door.recent = recent = std::make_shared<RecentEvents>(door.loop);
  // Owned by this call alone, then by the connection.
  response.stream = std::make_shared<EventFeed>(door.loop, door.archive, std::move(recent),
                                                std::move(filter), after);
  door.loop.call<bool>(
      [](engine::Engine&, Time) -> Result<bool> { return true; },
      [response = std::move(response), reply = std::move(reply)](const Result<bool>& durable) {
        reply(durable ? response : problem(durable.error()));
      });
}

struct PageRequest {
  EventSeq after;
  std::uint32_t limit;
  engine::Order order;
};

Result<std::string> event_page(engine::Reader& reader, const EventFilter& filter,
                               const PageRequest& wanted) {
  engine::EventQuery query;
  query.root = filter.root;
  query.task = filter.task;
  query.job = filter.job;
  query.after = wanted.after;
  query.limit = wanted.limit;
  std::function<bool(const model::Event&)> keep;
  if (!filter.job_id.empty())
    keep = [&](const model::Event& event) { return filter.matches(event); };
  auto page = wanted.order == engine::Order::kOldestFirst ? read_events(reader, query, keep)
                                                          : read_newest_events(reader, query, keep);
  if (!page) return fail(std::move(page.error()));
  PageWriter out;
  Runs runs(reader);
  EventSeq last;
  for (const model::Event& event : page->rows) {
    if (out.full()) return out.finish(std::to_string(last.value));
    last = event.seq;
    const auto name = runs.name_of(event.root);
    if (!name) return fail(name.error());
    write_event(out.item(), event, *name);
  }
  return out.finish(page->next ? std::to_string(page->next->value) : "");
}

// A reconnecting browser sends the id of the last event it saw, which is newer than its URL's.
std::optional<EventSeq> read_after(const http::Request& request, Query& query) {
  const auto after = query.id<EventSeq>("after");
  const auto last = request.header("last-event-id");
  if (!last || last->empty()) return after;
  const auto seq = parse_number(*last, INT64_MAX);
  if (!seq) query.complain("Last-Event-ID", "must be the id of an event");
  return seq ? std::optional<EventSeq>(EventSeq{*seq}) : after;
}

void get_events(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  EventFilter filter = read_filter(query);
  const auto after = read_after(request, query);
  const PageRequest wanted{.after = after.value_or(EventSeq{}),
                           .limit = query.limit(),
                           .order = query.order(engine::Order::kOldestFirst)};
  const bool stream = wants_stream(request, query);
  if (!query.ok()) return reply(bad_query(query.errors()));
  if (stream) return follow_events(door, std::move(filter), after, std::move(reply));
  door.archive.read(
      [filter = std::move(filter), wanted, reply = std::move(reply)](engine::Reader& reader) {
        answer_json(reply)(event_page(reader, filter, wanted));
      });
}

Result<std::string> show_event(engine::Reader& reader, EventSeq seq) {
  auto event = reader.event(seq);
  if (!event) return fail(std::move(event.error()));
  if (!*event) {
    return fail(ErrorKind::kNotFound, "there is no event " + std::to_string(seq.value));
  }
  const auto name = Runs(reader).name_of((*event)->root);
  if (!name) return fail(name.error());
  std::string body;
  JsonWriter out(body);
  write_event(out, **event, *name);
  return body;
}

void get_event(const Context& door, const http::Request& request, http::Reply reply) {
  const auto seq = parse_number(request.params[0], INT64_MAX);
  if (!seq) return reply(problem(404, "there is no event '" + request.params[0] + "'"));
  door.archive.read([seq = EventSeq{*seq}, reply = std::move(reply)](engine::Reader& reader) {
    answer_json(reply)(show_event(reader, seq));
  });
}

}  // namespace

Routes event_routes(const ContextPtr& door) {
  return {route(door, "GET", "/events", get_events),
          route(door, "GET", "/events/{event}", get_event)};
}

}  // namespace docket::native
