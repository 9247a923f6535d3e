#include "exec/care/care_executor.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <filesystem>
#include <mutex>
#include <optional>
#include <utility>

#include "core/json_writer.h"

namespace docket::care {
namespace {

namespace fs = std::filesystem;
using engine::AttemptPhase;
using engine::AttemptReport;

constexpr Duration kReportEvery = std::chrono::milliseconds{100};
constexpr std::chrono::milliseconds kRest{10};
constexpr int kIdleSlicesMax = 20;  // slices of retention in a row that removed no tree
constexpr const char* kServerStopped = "The server was stopped before this had ended";

void remove_partial_files(const std::string& directory) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == kPartial && it->is_regular_file(ignored)) {
      fs::remove(it->path(), ignored);
    }
  }
}

Result<> prepare_directory(const std::string& directory) {
  std::error_code error;
  if (fs::create_directories(directory, error)) {
    fs::permissions(directory, fs::perms::owner_all, error);
  }
  if (!error) return {};
  return fail(ErrorKind::kUnavailable, "cannot make " + directory + ": " + error.message());
}

std::string facts_of(const CareWork& what) {
  if (what.file.empty()) return {};
  std::string facts;
  JsonWriter(facts).begin_object().member("file", what.file).end_object();
  return facts;
}

// Blocks. Retention is not here: the engine does it.
Result<> do_now(engine::StoreCare& care, const CareWork& what, const std::string& directory,
                engine::CareWatch& watch) {
  const std::string file = (fs::path(directory) / what.file).string();
  if (makes_file(what.chore)) {
    if (auto ready = prepare_directory(directory); !ready) return ready;
  }
  switch (what.chore) {
    case Chore::kBackup:
      return care.backup(file, watch);
    case Chore::kVerify:
      return care.verify(what.families, watch);
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
Result<> do_safely(engine::StoreCare& care, const CareWork& what, const std::string& directory,
                   engine::CareWatch& watch) {
  try {
    return do_now(care, what, directory, watch);
  } catch (const std::exception& error) {
    return fail(ErrorKind::kInternal, error.what());
  }
}

}  // namespace

// ---- one attempt, as both threads see it

class CareExecutor::Work : public engine::CareWatch {
 public:
  using Told = std::function<void(const model::Progress&)>;

  Work(TaskId token, Clock& clock, CareWork of) : what(std::move(of)), clock_(clock) {
    report.token = token;
    report.phase = AttemptPhase::kStarting;
  }

  // ---- on the strand
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
  }
  void may_tell_more() { report_pending_ = false; }

  const CareWork what;
  AttemptReport report;
  std::string why_stopped;  // who else stopped it; empty: the engine, or nobody
  // Of retention.
  std::uint64_t trees = 0;       // at the beginning
  std::uint64_t trees_left = 0;  // at the last look
  int idle_slices = 0;
  bool counted = false;

  // ---- in the background; for retention, on the strand
  bool go_on(double completed, double total) override {
    last = model::Progress{completed, total};
    if (stop_) return false;
    const Time now = clock_.now();
    const bool soon = now >= told_at_ && now < told_at_ + kReportEvery;
    if (soon || report_pending_.exchange(true)) return true;
    told_at_ = now;
    tell(*last);
    return true;
  }
  void rest() override {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kRest, [this] { return stop_.load(); });
  }
  bool is_stopped() const { return stop_; }

  Told tell;
  std::optional<model::Progress> last;  // on the strand once the work has ended

 private:
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> report_pending_ = false;  // a report is on its way: the next one waits
  Time told_at_ = kNever;
};

// ---- the port

CareExecutor::CareExecutor(Ports ports, std::string directory)
    : ports_(std::move(ports)), directory_(std::move(directory)) {}

CareExecutor::~CareExecutor() {
  shut();
  *alive_ = false;
}

// Before anything is made, so that half-made files are the last server's.
void CareExecutor::attach(engine::ExecutorListener* listener, std::uint64_t) {
  if (listener && works_.empty()) remove_partial_files(directory_);
  listener_ = listener;
}

void CareExecutor::on_strand(std::function<void()> what) {
  ports_.post([alive = alive_, what = std::move(what)] {
    if (*alive) what();
  });
}

void CareExecutor::start(TaskId token, const engine::PayloadPtr& payload) {
  if (shut_) return;
  if (const auto known = works_.find(token); known != works_.end()) {
    return on_strand([this, work = known->second] { tell(*work); });
  }
  const auto* what = engine::get_if<CareWork>(payload);
  const auto work = std::make_shared<Work>(token, ports_.clock, what ? *what : CareWork{});
  works_.emplace(token, work);
  if (what) return carry_out(work);
  on_strand([this, work] {
    ended(*work, fail(ErrorKind::kInvalid, "this executor does docket's own housekeeping only"));
  });
}

void CareExecutor::stop(TaskId token, std::optional<Duration>) {
  if (const auto found = works_.find(token); found != works_.end()) found->second->stop();
}

void CareExecutor::forget(const std::vector<TaskId>& tokens) {
  for (const TaskId token : tokens) works_.erase(token);
}

void CareExecutor::find(std::vector<engine::AttemptQuery> attempts,
                        std::function<void(Result<std::vector<AttemptReport>>)> done) {
  std::vector<AttemptReport> reports;
  for (const engine::AttemptQuery& each : attempts) {
    const auto found = works_.find(each.token);
    reports.push_back(found == works_.end() ? AttemptReport{.token = each.token}
                                            : found->second->report);
  }
  on_strand([done = std::move(done), reports = std::move(reports)] { done(reports); });
}

void CareExecutor::taken(TaskId token, std::uint64_t) {
  if (const auto found = works_.find(token); found != works_.end()) found->second->may_tell_more();
}

void CareExecutor::shut() {
  shut_ = true;
  for (const auto& [token, work] : works_) {
    if (!work->is_stopped()) work->why_stopped = kServerStopped;
    work->stop();
  }
}

void CareExecutor::on_idle(std::function<void()> then) {
  on_idle_ = std::move(then);
  on_strand([this] { check_idle(); });
}

void CareExecutor::check_idle() {
  const bool busy = std::ranges::any_of(works_, [](const auto& entry) {
    return entry.second->report.phase != AttemptPhase::kExited;
  });
  if (busy || !on_idle_) return;
  std::exchange(on_idle_, {})();
}

// ---- the work

// What is posted keeps the work alive, although it may be forgotten by then. What runs in the
// background does not use this executor, which may be gone.
void CareExecutor::carry_out(const WorkPtr& work) {
  const auto post = [this, alive = alive_, post = ports_.post](auto what) {
    post([this, alive, what = std::move(what)] {
      if (*alive) what(*this);
    });
  };
  work->tell = [post, weak = std::weak_ptr(work)](const model::Progress& progress) {
    post([weak, progress](CareExecutor& self) {
      if (const auto work = weak.lock()) self.told(*work, progress);
    });
  };
  ports_.background([work, post, &care = ports_.care, directory = directory_] {
    post([work](CareExecutor& self) { self.begun(*work); });
    if (work->what.chore == Chore::kRetention) return;  // which goes on from there
    Result<> result =
        work->is_stopped() ? engine::cancelled() : do_safely(care, work->what, directory, *work);
    post([work, result = std::move(result)](CareExecutor& self) { self.ended(*work, result); });
  });
}

void CareExecutor::begun(Work& work) {
  work.report.phase = AttemptPhase::kRunning;
  work.report.started_at = ports_.clock.now();
  tell(work);
  const auto known = works_.find(work.report.token);
  if (work.what.chore == Chore::kRetention && known != works_.end()) retain(known->second);
}

void CareExecutor::told(Work& work, const model::Progress& progress) {
  if (work.report.phase != AttemptPhase::kRunning) return;
  ++work.report.seq;
  work.report.progress = progress;
  tell(work);
}

void CareExecutor::ended(Work& work, const Result<>& result) {
  AttemptReport& report = work.report;
  const bool cancelled = !result && result.error().kind == ErrorKind::kCancelled;
  report.phase = AttemptPhase::kExited;
  report.finished_at = ports_.clock.now();
  report.progress = work.last;
  ++report.seq;
  if (cancelled && work.why_stopped.empty()) {
    report.signal = SIGTERM;
  } else if (!result) {
    report.exit_code = 1;
    report.message = cancelled ? work.why_stopped : result.error().message;
  } else {
    report.facts = facts_of(work.what);
  }
  tell(work);
  check_idle();
}

void CareExecutor::tell(const Work& work) const {
  if (!listener_) return;
  const AttemptReport copy = work.report;  // the listener may forget the work
  listener_->on_attempt(copy);
}

// ---- retention: slices of the engine's own, as often as there is something to remove

void CareExecutor::retain(const WorkPtr& work) {
  const Time before = ports_.retention.kept_since();
  if (before == kNever) return ended(*work, {});
  count_trees(work, before);
}

void CareExecutor::count_trees(const WorkPtr& work, Time before) {
  ports_.background([this, alive = alive_, post = ports_.post, work, &care = ports_.care, before] {
    auto trees = care.trees_ended_before(before);
    post([this, alive, work, before, trees = std::move(trees)] {
      if (*alive) counted(work, before, trees);
    });
  });
}

void CareExecutor::counted(const WorkPtr& of, Time before, const Result<std::uint64_t>& trees) {
  if (!trees) return ended(*of, fail(trees.error()));
  Work& work = *of;
  // A tree that ended long ago but stays has something live below it, or is removed in slices.
  const bool fewer = !work.counted || *trees < work.trees_left;
  work.idle_slices = fewer ? 0 : work.idle_slices + 1;
  const bool done = *trees == 0 || work.idle_slices == kIdleSlicesMax;
  if (!work.counted) work.trees = *trees;
  work.counted = true;
  work.trees_left = std::min(*trees, work.trees);
  const auto all = static_cast<double>(work.trees);
  if (!work.go_on(all - static_cast<double>(work.trees_left), all)) {
    return ended(work, engine::cancelled());
  }
  if (done) return ended(work, {});
  ports_.retention.sweep([this, alive = alive_, of, before](const Result<>& swept) {
    if (!*alive) return;
    if (!swept) return ended(*of, swept);
    count_trees(of, before);
  });
}

}  // namespace docket::care
