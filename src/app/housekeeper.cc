#include "app/housekeeper.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

namespace docket::app {
namespace {

namespace fs = std::filesystem;
using engine::Chore;
using engine::ChoreOrder;
using engine::Engine;

constexpr Duration kReportEvery = std::chrono::milliseconds{100};
constexpr std::chrono::milliseconds kRest{10};
constexpr int kInVainMax = 20;  // slices of retention without a tree that is gone after them
constexpr const char* kServerStopped = "The server was stopped before this had ended";

}  // namespace

// ---- the work under way, as both sides see it

class Housekeeper::Work : public engine::CareWatch, public std::enable_shared_from_this<Work> {
 public:
  // also: what else is to be done on the strand whenever the work reports.
  Work(engine::Loop& loop, Clock& clock, TaskId of, std::function<void(Engine&, Time)> also)
      : task(of), loop_(loop), clock_(clock), also_(std::move(also)) {}

  // ---- on the strand
  void stop(std::string why) {
    if (reason.empty()) reason = std::move(why);
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
  }
  // Tells the task how far it is, and hears whether it is to stop.
  void tell(Engine& engine, double completed, double total, Time now) {
    const auto node =
        engine.operations().report(task, {.completed = completed, .total = total}, now);
    if (!node || (*node)->task.stopping) stop({});
  }
  void tell_last(Engine& engine, Time now) {
    if (last_) tell(engine, last_->completed, last_->total, now);
  }

  // ---- elsewhere
  bool go_on(double completed, double total) override {
    last_ = model::Progress{completed, total};
    if (stop_) return false;
    const Time now = clock_.now();
    const bool soon = now >= told_at_ && now < told_at_ + kReportEvery;
    if (soon || telling_.exchange(true)) return true;
    told_at_ = now;
    loop_.post(
        [self = shared_from_this(), completed, total] { self->call_tell(completed, total); });
    return true;
  }
  void rest() override {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRest, [this] { return stop_.load(); });
  }

  const TaskId task;
  std::string reason;  // why it was stopped by the server; empty: it was not
  Time retain_before = kNever;
  std::uint64_t trees = 0;       // at the beginning
  std::uint64_t trees_left = 0;  // at the last look
  int in_vain = 0;
  bool counted = false;
  bool is_stopped() const { return stop_; }

 private:
  void call_tell(double completed, double total) {
    loop_.call<bool>(
        [self = shared_from_this(), completed, total](Engine& engine, Time now) -> Result<bool> {
          self->tell(engine, completed, total, now);
          self->also_(engine, now);
          return true;
        },
        [self = shared_from_this()](const Result<bool>&) { self->telling_ = false; });
  }

  engine::Loop& loop_;
  Clock& clock_;
  std::function<void(Engine&, Time)> also_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> telling_ = false;    // a report is on its way: the next one waits
  Time told_at_ = kNever;                // elsewhere only
  std::optional<model::Progress> last_;  // elsewhere; on the strand once the work has ended
};

// ---- orders

Housekeeper::Housekeeper(engine::Loop& loop, Clock& clock, engine::StoreCare& care,
                         std::string directory, Elsewhere elsewhere)
    : loop_(loop),
      clock_(clock),
      care_(care),
      directory_(std::move(directory)),
      elsewhere_(std::move(elsewhere)) {}

Housekeeper::~Housekeeper() {
  if (work_) work_->stop(kServerStopped);
}

Result<TaskId> Housekeeper::ask(Engine& engine, ChoreOrder order, Time now) {
  if (auto sound = check(order); !sound) return fail(std::move(sound.error()));
  if (stopped_) return fail(ErrorKind::kUnavailable, "the server is stopping");
  if (waiting_.size() >= kWaitingMax) {
    return fail(ErrorKind::kExhausted,
                fmt::format("{} maintenance operations wait already", waiting_.size()));
  }
  if (makes_file(order.chore)) {
    if (auto named = name_file(order, now); !named) return fail(std::move(named.error()));
  }
  const auto node = engine.operations().create(engine::operation_of(order), {}, false, now);
  if (!node) return fail(node.error());
  const TaskId task = (*node)->task.id;
  waiting_.push_back({task, std::move(order)});
  loop_.post([this] { next(); });
  return task;
}

// Looks at the disk: two quick calls.
Result<> Housekeeper::name_file(ChoreOrder& order, Time now) const {
  if (order.file.empty()) {
    const char* suffix = order.chore == Chore::kBackup ? "db" : "jsonl";
    order.file = fmt::format("docket-{:%Y%m%dT%H%M%S}.{:06d}Z.{}",
                             std::chrono::floor<std::chrono::seconds>(now),
                             to_micros(now) % 1'000'000, suffix);
  }
  std::error_code error;
  if (fs::create_directories(directory_, error)) {
    fs::permissions(directory_, fs::perms::owner_all, error);
  }
  if (error) {
    return fail(ErrorKind::kUnavailable,
                fmt::format("cannot make {}: {}", directory_, error.message()));
  }
  const bool asked_for = std::ranges::any_of(
      waiting_, [&order](const Waiting& each) { return each.order.file == order.file; });
  if (asked_for || fs::exists(fs::path(directory_) / order.file, error)) {
    return fail(ErrorKind::kConflict, order.file + " exists already");
  }
  return {};
}

void Housekeeper::stop() {
  stopped_ = true;
  if (work_) work_->stop(kServerStopped);
  for (const Waiting& each : std::exchange(waiting_, {})) end_unbegun(each.task, kServerStopped);
}

// ---- one after the other

void Housekeeper::next() {
  if (work_ || waiting_.empty()) return;
  const Waiting waiting = std::move(waiting_.front());
  waiting_.pop_front();
  work_ = std::make_shared<Work>(loop_, clock_, waiting.task,
                                 [this](Engine& engine, Time now) { end_aborted(engine, now); });
  begin(waiting);
}

void Housekeeper::begin(const Waiting& waiting) {
  loop_.call<bool>(
      [work = work_](Engine& engine, Time now) -> Result<bool> {
        const auto* node = engine.operations().find(work->task);
        const bool wanted = node && !node->task.stopping;
        work->retain_before = engine.kept_since(now);
        return wanted && engine.operations().begin(work->task, now);
      },
      [this, order = waiting.order](const Result<bool>& begun) {
        if (!begun || !*begun) return finished(engine::cancelled());
        if (order.chore == Chore::kRetention) return retain();
        carry_out(order);
      });
}

namespace {

// Blocks. Retention is not here: that is the engine's, a slice at a time.
Result<> carry_out_now(engine::StoreCare& care, const ChoreOrder& order, const std::string& file,
                       engine::CareWatch& watch) {
  switch (order.chore) {
    case Chore::kBackup:
      return care.backup(file, watch);
    case Chore::kVerify:
      return care.verify(order.families, watch);
    case Chore::kVacuum:
      return care.vacuum(watch);
    case Chore::kCheckpoint:
      return care.checkpoint(watch);
    case Chore::kExport:
      return care.export_records(file, watch);
    case Chore::kUpgrade:
      return care.upgrade(watch);
    case Chore::kRetention:
      break;
  }
  return {};
}

// Out of memory fails the work, not the server.
Result<> carry_out_safely(engine::StoreCare& care, const ChoreOrder& order, const std::string& file,
                          engine::CareWatch& watch) {
  try {
    return carry_out_now(care, order, file, watch);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, error.what());
  }
}

}  // namespace

void Housekeeper::carry_out(const ChoreOrder& order) {
  elsewhere_([this, work = work_, order, &care = care_, &loop = loop_,
              file = (fs::path(directory_) / order.file).string()] {
    Result<> result = carry_out_safely(care, order, file, *work);
    loop.post([this, result = std::move(result)] { finished(result); });
  });
}

void Housekeeper::finished(const Result<>& result) {
  loop_.call<bool>(
      [work = std::exchange(work_, nullptr), result](Engine& engine, Time now) -> Result<bool> {
        work->tell_last(engine, now);
        const auto* node = engine.operations().find(work->task);
        if (!node) return true;  // its module was dropped
        std::string error = result ? "" : result.error().message;
        const bool cancelled = !result && result.error().kind == ErrorKind::kCancelled;
        if (cancelled && !work->reason.empty()) error = work->reason;
        if (cancelled && node->task.stopping) error.clear();
        static_cast<void>(engine.operations().finish(work->task, error, now));
        return true;
      },
      [](const Result<bool>&) {});
  next();
}

void Housekeeper::end_unbegun(TaskId task, const std::string& error) {
  loop_.call<bool>(
      [task, error](Engine& engine, Time now) -> Result<bool> {
        static_cast<void>(engine.operations().finish(task, error, now));
        return true;
      },
      [](const Result<bool>&) {});
}

// Who aborts what waits does not want to wait for what is under way.
void Housekeeper::end_aborted(Engine& engine, Time now) {
  std::erase_if(waiting_, [&engine, now](const Waiting& each) {
    const auto* node = engine.operations().find(each.task);
    if (node && !node->task.stopping) return false;
    static_cast<void>(engine.operations().finish(each.task, {}, now));
    return true;
  });
}

// ---- retention: slices of the engine's own, as often as there is something to remove

void Housekeeper::retain() {
  if (work_->retain_before == kNever) return finished({});  // all is kept
  count_trees();
}

void Housekeeper::count_trees() {
  elsewhere_([this, &care = care_, &loop = loop_, before = work_->retain_before] {
    auto trees = care.trees_ended_before(before);
    loop.post([this, trees = std::move(trees)] { counted(trees); });
  });
}

void Housekeeper::counted(const Result<std::uint64_t>& trees) {
  if (!trees) return finished(fail(trees.error()));
  Work& work = *work_;
  // What stays although it ended long ago has something below it that goes on, or goes in slices.
  const bool fewer = !work.counted || *trees < work.trees_left;
  work.in_vain = fewer ? 0 : work.in_vain + 1;
  const bool done = *trees == 0 || work.in_vain == kInVainMax;
  if (!work.counted) work.trees = *trees;
  work.counted = true;
  work.trees_left = std::min(*trees, work.trees);
  const auto all = static_cast<double>(work.trees);
  const bool wanted = work.go_on(all - static_cast<double>(work.trees_left), all);
  if (!wanted) return finished(engine::cancelled());
  if (done) return finished({});
  sweep_slice();
}

void Housekeeper::sweep_slice() {
  loop_.call<bool>(
      [work = work_](Engine& engine, Time now) -> Result<bool> {
        const auto* node = engine.operations().find(work->task);
        const bool wanted = node && !node->task.stopping;
        if (wanted) engine.sweep_now(now);
        return wanted;
      },
      [this](const Result<bool>& swept) {
        if (!swept || !*swept) return finished(engine::cancelled());
        count_trees();
      });
}

// ---- files

void remove_partial_files(const std::string& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".partial" && it->is_regular_file(ignored)) {
      fs::remove(it->path(), ignored);
    }
  }
}

}  // namespace docket::app
