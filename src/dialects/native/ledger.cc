// The ledger of a schedule: every due time in a stretch of time with its outcome, so that "why did
// it not run at 02:30?" takes one request. The store keeps what the engine decided. Local times
// that daylight saving skipped were never decided on; they are derived here.

#include <algorithm>
#include <utility>

#include "core/json_writer.h"
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
  Time at;    // the due instant; for a gap: the jump
  Time last;  // equal to `at`, except in a row that counts several due times
  std::uint64_t count = 1;
  const char* outcome;
  TaskId run;
  LocalTime local;
  Fold fold = Fold::kNone;
};

// Due times in [from, until).
struct Stretch {
  Time from;
  Time until;
};

// Every row of a stretch, oldest first.
class Ledger {
 public:
  Ledger(const model::Schedule& schedule, Stretch stretch)
      : schedule_(schedule), stretch_(stretch) {}

  // Stops early once it has `enough` rows: stretch() then ends just after the last of them.
  Result<> read(engine::Reader& reader, std::size_t enough);
  const Stretch& stretch() const { return stretch_; }
  std::vector<Row>& rows() { return rows_; }

 private:
  const Zone& zone() const { return schedule_.definition.zone; }
  void add(const LedgerEntry& entry, std::size_t enough);
  void add_row(Time at, Time last, std::uint64_t count, const LedgerEntry& entry);
  void add_gaps();

  const model::Schedule& schedule_;
  Stretch stretch_;
  std::vector<Row> rows_;
};

Result<> Ledger::read(engine::Reader& reader, std::size_t enough) {
  Time from = stretch_.from;
  for (bool more = true; more && rows_.size() < enough;) {
    const auto entries = reader.ledger(schedule_.uid, from, stretch_.until, engine::kMaxPage);
    if (!entries) return fail(entries.error());
    for (const LedgerEntry& entry : *entries) {
      if (rows_.size() < enough) add(entry, enough);
    }
    more = entries->size() == engine::kMaxPage;
    if (more) from = entries->back().last_due + kInstant;
  }
  if (rows_.size() >= enough) stretch_.until = rows_.back().last + kInstant;
  add_gaps();
  return {};
}

// Due times are listed one by one if the schedule's cron is still the one that missed them.
void Ledger::add(const LedgerEntry& entry, std::size_t enough) {
  const Cron& cron = schedule_.definition.cron;
  const auto due = [&] {
    return cron.count(entry.first_due - kInstant, entry.last_due, zone(), entry.count + 1);
  };
  if (entry.count == 1 || due() != entry.count) {
    return add_row(entry.first_due, entry.last_due, entry.count, entry);
  }
  auto at = cron.next(std::max(entry.first_due, stretch_.from) - kInstant, zone());
  for (; at && *at <= entry.last_due && *at < stretch_.until && rows_.size() < enough;
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
  const Time from = std::max(stretch_.from, schedule_.created_at) - kInstant;
  const Time until = std::min(stretch_.until - kInstant, schedule_.checked_until);
  if (from >= until) return;
  for (const SkippedTime& gap : schedule_.definition.cron.gaps(from, until, zone())) {
    rows_.push_back(
        {.at = gap.at, .last = gap.at, .outcome = "dst_gap", .run = {}, .local = gap.local});
  }
  std::stable_sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return a.at != b.at ? a.at < b.at : a.local < b.local;
  });
}

struct LedgerRequest {
  model::Schedule schedule;
  Stretch stretch;
  std::uint32_t limit;
  engine::Order order;
};

struct LedgerPage {
  std::vector<Row> rows;
  bool more = false;  // after the last row
};

Result<LedgerPage> read_oldest(engine::Reader& reader, const LedgerRequest& wanted) {
  Ledger ledger(wanted.schedule, wanted.stretch);
  if (auto done = ledger.read(reader, wanted.limit + 1U); !done) return fail(done.error());
  return LedgerPage{.rows = std::move(ledger.rows()),
                    .more = ledger.stretch().until < wanted.stretch.until};
}

// How far back to look for `limit` due times: doubled until the schedule has that many there.
Time window_before(const LedgerRequest& wanted, Time until) {
  const model::ScheduleDefinition& definition = wanted.schedule.definition;
  const auto due_since = [&](Time from) {
    return definition.cron.count(from, until, definition.zone, wanted.limit);
  };
  Duration width = std::chrono::days{1};
  while (until - width > wanted.stretch.from && due_since(until - width) < wanted.limit) width *= 2;
  return std::max(wanted.stretch.from, until - width);
}

Result<LedgerPage> read_newest(engine::Reader& reader, const LedgerRequest& wanted) {
  LedgerPage page;
  for (Time until = wanted.stretch.until; until > wanted.stretch.from;) {
    const Time from = window_before(wanted, until);
    Ledger ledger(wanted.schedule, {.from = from, .until = until});
    if (auto done = ledger.read(reader, SIZE_MAX); !done) return fail(done.error());
    std::reverse(ledger.rows().begin(), ledger.rows().end());
    for (const Row& row : ledger.rows()) {
      // A row that counts several due times belongs to every window that it overlaps.
      const bool again = row.count > 1 && !page.rows.empty() && page.rows.back().at == row.at;
      if (!again) page.rows.push_back(row);
    }
    page.more = from > wanted.stretch.from;
    if (page.rows.size() >= wanted.limit) break;
    until = from;
  }
  return page;
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

// Wall clock time, without a zone.
std::string format_local(LocalTime local) {
  std::string text = format_rfc3339(Time{local.time_since_epoch()});
  text.pop_back();  // Z
  return text.substr(0, text.find('.'));
}

// The engine decided at the due time; how the run ended is known only now.
const char* outcome_of(const Row& row, const model::Task* run) {
  const std::string_view decided = row.outcome;
  const bool ran = decided == model::name_of(model::DueOutcome::kRan);
  if (!ran || !run || run->started_at != kNever) return row.outcome;
  return model::is_final(run->state) ? "not_started" : "waiting";
}

void write_row(JsonWriter& out, const Row& row, const model::Task* run) {
  out.begin_object();
  write_time(out.key("firstDue"), row.at);
  write_time(out.key("lastDue"), row.last);
  out.member("count", row.count).member("localTime", format_local(row.local));
  write_text(out.key("fold"), word_of(row.fold));
  out.member("outcome", outcome_of(row, run));
  write_id(out.key("run"), row.run.value);
  write_text(out.key("runName"), run ? run->name : "");
  out.end_object();
}

// Rows of one instant stay on one page, because the cursor is an instant.
Result<std::string> read_page(engine::Reader& reader, const LedgerRequest& wanted) {
  const bool oldest = wanted.order == engine::Order::kOldestFirst;
  const auto read = oldest ? read_oldest(reader, wanted) : read_newest(reader, wanted);
  if (!read) return fail(read.error());
  const auto cursor = [&](const Row& row) { return format_rfc3339(oldest ? row.last : row.at); };
  PageWriter page;
  Runs runs(reader);
  std::size_t items = 0;
  for (const Row& row : read->rows) {
    const Row* last = items > 0 ? &read->rows[items - 1] : nullptr;
    if (items >= wanted.limit && row.at != last->at) return page.finish(cursor(*last));
    const auto run = runs.find(row.run);
    if (!run) return fail(run.error());
    write_row(page.item(), row, *run);
    ++items;
  }
  const bool more = read->more && items > 0;
  return page.finish(more ? cursor(read->rows.back()) : "");
}

// Defaults: newest first covers the whole life of the schedule, oldest first the last week.
LedgerRequest wanted_of(const model::Schedule& schedule, std::optional<Time> from,
                        std::optional<Time> until, engine::Order order, Time now) {
  LedgerRequest wanted{.schedule = schedule, .stretch = {}, .limit = 0, .order = order};
  wanted.stretch.until = until.value_or(now + kInstant);
  const Time earliest = order == engine::Order::kNewestFirst
                            ? schedule.created_at
                            : wanted.stretch.until - kDefaultStretch;
  wanted.stretch.from = from.value_or(earliest);
  return wanted;
}

void get_ledger(const Context& door, const http::Request& request, http::Reply reply) {
  Query query(request);
  const auto from = query.time("from");
  const auto until = query.time("until");
  const auto after = query.time("after");
  const auto order = query.order(engine::Order::kNewestFirst);
  const auto limit = query.limit();
  if (from && until && *from > *until) query.complain("until", "must not be before from");
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.loop.call<LedgerRequest>(
      [=, job = request.params[0], id = request.params[1]](Engine& engine,
                                                           Time now) -> Result<LedgerRequest> {
        const auto schedule = find_schedule(engine, job, id);
        if (!schedule) return fail(schedule.error());
        LedgerRequest wanted = wanted_of(**schedule, from, until, order, now);
        wanted.limit = limit;
        Stretch& stretch = wanted.stretch;
        if (after && order == engine::Order::kNewestFirst) {
          stretch.until = std::min(stretch.until, *after);
        } else if (after) {
          stretch.from = std::max(stretch.from, *after + kInstant);
        }
        return wanted;
      },
      [&archive = door.archive, reply = std::move(reply)](Result<LedgerRequest> wanted) {
        if (!wanted) return reply(problem(wanted.error()));
        archive.read([wanted = *std::move(wanted), reply](engine::Reader& reader) {
          answer_json(reply)(read_page(reader, wanted));
        });
      });
}

}  // namespace

Routes ledger_routes(const ContextPtr& door) {
  return {route(door, "GET", "/jobs/{job}/schedules/{schedule}/ledger", get_ledger)};
}

}  // namespace docket::native
