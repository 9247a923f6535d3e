// GET /v1/events: an addition; the original has no public stream.
//
// A notice of the engine only says that there is something to read. What is sent comes from the
// store, a page at a time, when the client's connection asks. So resuming and following are one
// path, no event of a run is sent that a crash could undo, and a slow client costs no memory.

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "dialects/metronome/event_page.h"
#include "dialects/metronome/routes.h"

namespace docket::metronome {
namespace {

// Shared between the stream, the loop's subscription and a read in flight. `after` and `behind`
// belong to the read while one is in flight, otherwise to the strand; the rest always belongs to
// the strand.
struct Progress {
  EventSeq after;
  bool behind = false;  // there is something to read, regardless of notices
  bool placed = false;  // `after` is known; else the stream begins with the first notice
  EventSeq newest;      // seen in a notice
  http::IdentityPtr caller;
  http::BodyStream::Next waiting;
};
using ProgressPtr = std::shared_ptr<Progress>;

void read_on(engine::Archive& archive, const ProgressPtr& progress, http::BodyStream::Next done) {
  archive.read(
      [progress, done = std::move(done), until = progress->newest](engine::Reader& reader) {
        auto page = read_event_page(reader, progress->after, *progress->caller);
        if (!page) return done(std::nullopt);  // the client comes back with the last id it has
        progress->behind = page->full;
        progress->after = page->full ? page->last : std::max(page->last, until);
        done(page->text.empty() ? ":\n\n" : std::move(page->text));
      });
}

class EventStream final : public http::BodyStream {
 public:
  EventStream(engine::Loop& loop, engine::Archive& archive, http::IdentityPtr caller,
              std::optional<EventSeq> after)
      : archive_(archive) {
    progress_->caller = std::move(caller);
    if (after) {
      progress_->after = *after;
      progress_->placed = progress_->behind = true;
    }
    subscription_ = loop.subscribe([&archive, progress = progress_](const engine::Notice& notice) {
      on_notice(archive, progress, notice.event.seq);
    });
  }
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  void next(Next done) override {
    const bool more = progress_->placed && progress_->newest > progress_->after;
    if (!more && !progress_->behind) {
      progress_->waiting = std::move(done);
      return;
    }
    read_on(archive_, progress_, std::move(done));
  }

  std::string heartbeat() const override { return ":\n\n"; }

 private:
  // By value: the subscription may end during this call, and its captures with it.
  static void on_notice(engine::Archive& archive, ProgressPtr progress, EventSeq seq) {
    if (!std::exchange(progress->placed, true)) progress->after = EventSeq{seq.value - 1};
    progress->newest = seq;
    if (auto done = std::exchange(progress->waiting, nullptr)) {
      read_on(archive, progress, std::move(done));
    }
  }

  engine::Archive& archive_;
  ProgressPtr progress_ = std::make_shared<Progress>();
  engine::Loop::Subscription subscription_;
};

std::optional<EventSeq> last_event_id(const http::Request& request) {
  const auto header = request.header("last-event-id");
  if (!header) return std::nullopt;
  EventSeq id;
  const char* end = header->data() + header->size();
  const auto [stop, error] = std::from_chars(header->data(), end, id.value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return id;
}

void stream_events(const Context& context, Call call) {
  if (!admit(call)) return;
  http::Response response;
  response.content_type = "text/event-stream";
  response.headers = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}};
  response.stream = std::make_shared<EventStream>(
      context.loop, context.archive, call.request.identity, last_event_id(call.request));
  call.reply(std::move(response));
}

}  // namespace

std::vector<http::Route> event_routes(const ContextPtr& context) {
  return {{"GET", "/v1/events", plain_handler(context, stream_events), http::BodyRule::kIgnore}};
}

}  // namespace docket::metronome
