// The ledger of a schedule: every due time of a stretch of time with what became of it, so that
// "why did it not run at 02:30?" is one request. The store keeps what the engine decided; the local
// times that daylight saving jumped over were never decided on by anybody and are derived here.

#include <algorithm>
#include <utility>

#include "dialects/native/answer.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::Engine;
using model::LedgerEntry;

constexpr Duration kInstant{1};
constexpr Duration kDefaultStretch = std::chrono::days{7};

struct Row {
  Time at;    // the due instant; of a gap: the jump
  Time last;  // the same, but for a stretch that cannot be told apart any more
  std::uint64_t count = 1;
  const char* outcome;
  TaskId run;
  LocalTime local;
  Fold fold = Fold::kNone;
};

// What the request asks for: due times in [from, until), at most limit of them.
struct Stretch {
  Time from;
  Time until;
  std::uint32_t limit;
};

class Ledger {
 public:
  Ledger(const model::Schedule& schedule, Stretch wanted)
      : schedule_(schedule), wanted_(wanted), known_until_(wanted.until) {}

  Result<> read(engine::Reader& reader);
  std::string render() const;

 private:
  const Zone& zone() const { return schedule_.definition.zone; }
  void add(const LedgerEntry& entry);
  void add_stretch(const LedgerEntry& entry);
  void add_row(Time at, Time last, std::uint64_t count, const LedgerEntry& entry);
  void add_gaps();
  bool is_full() const { return rows_.size() > wanted_.limit; }

  const model::Schedule& schedule_;
  Stretch wanted_;
  Time known_until_;  // rows are complete up to here
  std::vector<Row> rows_;
};

Result<> Ledger::read(engine::Reader& reader) {
  const std::uint32_t ask = std::min(wanted_.limit + 1, engine::kMaxPage);
  const auto entries = reader.ledger(schedule_.uid, wanted_.from, wanted_.until, ask);
  if (!entries) return fail(entries.error());
  for (const LedgerEntry& entry : *entries) {
    if (is_full()) break;
    add(entry);
  }
  const bool cut = is_full() || entries->size() == ask;
  if (cut && !rows_.empty()) known_until_ = rows_.back().last + kInstant;
  add_gaps();
  return {};
}

void Ledger::add(const LedgerEntry& entry) {
  if (entry.count == 1) return add_row(entry.first_due, entry.first_due, 1, entry);
  // Due times are told one by one as long as the schedule still is the one that missed them.
  const Cron& cron = schedule_.definition.cron;
  const auto now_due =
      cron.count(entry.first_due - kInstant, entry.last_due, zone(), entry.count + 1);
  if (now_due == entry.count) return add_stretch(entry);
  add_row(entry.first_due, entry.last_due, entry.count, entry);
}

void Ledger::add_stretch(const LedgerEntry& entry) {
  const Cron& cron = schedule_.definition.cron;
  auto at = cron.next(std::max(entry.first_due, wanted_.from) - kInstant, zone());
  for (; at && *at <= entry.last_due && *at < wanted_.until && !is_full();
       at = cron.next(*at, zone())) {
    add_row(*at, *at, 1, entry);
  }
}

void Ledger::add_row(Time at, Time last, std::uint64_t count, const LedgerEntry& entry) {
  rows_.push_back({.at = at,
                   .last = last,
                   .count = count,
                   .outcome = model::name_of(entry.outcome),
                   .run = entry.run,
                   .local = zone().to_local(at),
                   .fold = zone().fold(at)});
}

void Ledger::add_gaps() {
  const Time from = std::max(wanted_.from, schedule_.created_at) - kInstant;
  const Time until = std::min(known_until_, schedule_.checked_until + kInstant) - kInstant;
  if (from >= until) return;
  for (const SkippedTime& gap : schedule_.definition.cron.gaps(from, until, zone())) {
    rows_.push_back(
        {.at = gap.at, .last = gap.at, .outcome = "dst_gap", .run = {}, .local = gap.local});
  }
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return a.at != b.at ? a.at < b.at : a.local < b.local;
  });
}

const char* word_of(Fold fold) {
  switch (fold) {
    case Fold::kFirst:
      return "first";
    case Fold::kSecond:
      return "second";
    case Fold::kNone:
      break;
  }
  return "";
}

// As the wall clock showed it: no zone behind it.
std::string format_local(LocalTime local) {
  std::string text = format_rfc3339(Time{local.time_since_epoch()});
  text.pop_back();  // Z
  return text.substr(0, text.find('.'));
}

void write_row(JsonWriter& out, const Row& row) {
  out.begin_object();
  write_time(out.key("dueAt"), row.at);
  write_time(out.key("lastDueAt"), row.last);
  out.member("count", row.count).member("localTime", format_local(row.local));
  write_text(out.key("fold"), word_of(row.fold));
  out.member("outcome", row.outcome);
  write_id(out.key("run"), row.run.value);
  out.end_object();
}

// Rows of one instant stay on one page, since the cursor is an instant.
std::string Ledger::render() const {
  PageWriter page;
  std::size_t items = 0;
  for (const Row& row : rows_) {
    if (items >= wanted_.limit && row.at != rows_[items - 1].at) {
      return page.finish(format_rfc3339(rows_[items - 1].at));
    }
    write_row(page.item(), row);
    ++items;
  }
  const bool more = known_until_ < wanted_.until && !rows_.empty();
  return page.finish(more ? format_rfc3339(rows_.back().at) : "");
}

struct LedgerRequest {
  model::Schedule schedule;
  Stretch stretch;
};

void get_ledger(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const auto from = query.time("from");
  const auto until = query.time("until");
  const auto after = query.time("after");
  const auto limit = query.limit();
  if (from && until && *from > *until) query.complain("until", "must not be before from");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<LedgerRequest>(
      [=, job = request.params[0], id = request.params[1]](Engine& engine,
                                                           Time now) -> Result<LedgerRequest> {
        const auto schedule = find_schedule(engine, job, id);
        if (!schedule) return fail(schedule.error());
        Stretch stretch{.from = from.value_or(until.value_or(now) - kDefaultStretch),
                        .until = until.value_or(now + kInstant),
                        .limit = limit};
        if (after) stretch.from = std::max(stretch.from, *after + kInstant);
        return LedgerRequest{.schedule = **schedule, .stretch = stretch};
      },
      [&archive = door.archive, reply = std::move(reply)](Result<LedgerRequest> wanted) {
        if (!wanted) return reply(problem(wanted.error()));
        archive.read([wanted = *std::move(wanted), reply](engine::Reader& reader) {
          Ledger ledger(wanted.schedule, wanted.stretch);
          if (const auto done = ledger.read(reader); !done) return reply(problem(done.error()));
          reply(json_response(ledger.render()));
        });
      });
}

}  // namespace

Routes ledger_routes(const ContextPtr& door) {
  return {route(door, "GET", "/jobs/{job}/schedules/{schedule}/ledger", get_ledger)};
}

}  // namespace docket::native
