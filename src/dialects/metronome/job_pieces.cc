#include "dialects/metronome/job_pieces.h"

#include <utility>

#include "core/json_writer.h"

namespace docket::metronome {
namespace {

// The most jobs, schedules and runs on one page together, and the most jobs examined: a limit on
// one turn of the strand.
constexpr std::size_t kPageItems = 64;
constexpr std::size_t kScanMax = 500;
constexpr std::size_t kPieceBytes = 32 * 1024;

}  // namespace

JobPieces::JobPieces(const Context& context, http::IdentityPtr caller, Embeds embeds,
                     std::optional<std::string> only)
    : loop_(context.loop),
      archive_(context.archive),
      history_limit_(context.settings.history_limit),
      caller_(std::move(caller)),
      embeds_(embeds),
      only_(std::move(only)) {}

void JobPieces::next(Done done) {
  if (written_ < parts_.size()) return write_on_archive(std::move(done));
  loop_.call<bool>(
      [self = shared_from_this()](engine::Engine& engine, Time now) {
        return self->take(engine, now);
      },
      [self = shared_from_this(), done = std::move(done)](const Result<bool>& taken) mutable {
        if (!taken) return done(fail(taken.error()));
        // A short answer needs no other thread.
        const bool short_one = !self->begun_ && !self->more_ && !self->embeds_.history;
        if (short_one) return done(self->write(nullptr));
        self->write_on_archive(std::move(done));
      });
}

// ---- taking

Result<bool> JobPieces::take(engine::Engine& engine, Time now) {
  parts_.clear();
  written_ = 0;
  room_ = kPageItems;
  now_ = now;
  if (rest_) take_rest(engine);
  if (!only_) {
    take_all(engine);
  } else if (!begun_) {
    const auto entry = find_job(engine, *caller_, http::Action::kRead, *only_);
    if (!entry) return fail(no_such_job());
    take_job(**entry, engine);
  }
  if (only_) more_ = rest_.has_value();
  return true;
}

void JobPieces::take_all(const engine::Engine& engine) {
  auto job = begun_ ? engine.jobs().upper_bound(last_job_) : engine.jobs().begin();
  for (std::size_t seen = 0; job != engine.jobs().end(); ++job, ++seen) {
    if (rest_ || room_ == 0 || seen == kScanMax) return;
    last_job_ = job->first;
    const bool shown = is_shown(job->second->job());
    if (shown && may(*caller_, http::Action::kRead, job->first)) take_job(*job->second, engine);
  }
  more_ = rest_.has_value();
}

void JobPieces::take_job(const engine::JobEntry& entry, const engine::Engine& engine) {
  JobPart part{.job = entry.row.job, .stats = entry.row.stats};
  for (const auto& [id, uid] : entry.schedules) part.schedules.push_back(*engine.schedule(uid));
  room_ -= std::min(room_, 1 + part.schedules.size());
  // A single job always shows activeRuns. A list omits the key for jobs without any, because both
  // command lines read its mere presence as "Running" (section 3, "a trap").
  part.shows_runs = embeds_.active_runs && (only_ || !entry.active.empty());
  if (part.shows_runs) return take_runs(std::move(part), entry, TaskId{});
  parts_.push_back(std::move(part));
}

void JobPieces::take_rest(const engine::Engine& engine) {
  const Rest rest = *std::exchange(rest_, std::nullopt);
  JobPart part{.job = rest.job, .stats = rest.stats, .shows_runs = true, .begins = false};
  const engine::JobEntry* entry = engine.job(rest.job->id());
  const bool gone = !entry || entry->job().uid != rest.job->uid;
  if (!gone) return take_runs(std::move(part), *entry, rest.after);
  parts_.push_back(std::move(part));
}

void JobPieces::take_runs(JobPart part, const engine::JobEntry& entry, TaskId after) {
  JsonWriter json(part.runs);
  for (auto run = entry.active.upper_bound(after); run != entry.active.end(); ++run) {
    if (room_ == 0) {
      rest_ = Rest{part.job, part.stats, after};
      part.ends = false;
      break;
    }
    write_run(json, *run->second);
    after = run->first;
    --room_;
  }
  parts_.push_back(std::move(part));
}

// ---- writing

void JobPieces::write_on_archive(Done done) {
  archive_.read([self = shared_from_this(), done = std::move(done)](engine::Reader& reader) {
    done(self->write(&reader));
  });
}

Result<Piece> JobPieces::write(engine::Reader* reader) {
  if (!std::exchange(begun_, true) && !only_) json_.begin_array();
  const JobShape shape{
      .embeds = embeds_, .now = now_, .reader = reader, .history_limit = history_limit_};
  while (written_ < parts_.size() && text_.size() < kPieceBytes) {
    const auto done = write_job_part(json_, parts_[written_++], shape);
    if (!done) return fail(done.error());
  }
  const bool more = more_ || written_ < parts_.size();
  if (!more && !only_) json_.end_array();
  return Piece{.text = std::exchange(text_, {}), .more = more};
}

}  // namespace docket::metronome
