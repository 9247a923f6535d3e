#include "cli/wrapper/task_reporter.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "cli/client/json_access.h"

namespace docket::cli {
namespace {

namespace json = boost::json;
using Millis = std::chrono::milliseconds;

constexpr Millis kBackoffFirst{200};
constexpr Millis kBackoffMost{5'000};   // well below what a server grants after its start
constexpr Millis kBetweenReports{200};  // people cannot see more, and servers have other clients

// Errors that may not last: no server, one that is stopping, one without room.
bool may_pass(const Error& error) {
  return error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout ||
         error.kind == ErrorKind::kCancelled || error.kind == ErrorKind::kInternal ||
         error.kind == ErrorKind::kExhausted;
}

bool is_about_parent(const Error& error) {
  return std::ranges::any_of(error.fields, [](const FieldError& field) {
    return field.path == "/parent" || field.path == "/module";
  });
}

json::value body_of(const Figures& figures) {
  json::object body;
  if (figures.completed) body["completed"] = *figures.completed;
  if (figures.total) body["total"] = *figures.total;
  return body;
}

}  // namespace

TaskReporter::~TaskReporter() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<> TaskReporter::make() {
  plan_.task.get_object()["beganSecondsAgo"] = seconds_since(began_);
  auto made = server_.call(
      {.door = Door::kNative, .method = "POST", .path = "/tasks", .body = &plan_.task});
  if (!made && plan_.parent_is_a_guess && is_about_parent(made.error())) {
    plan_.parent_is_a_guess = false;
    plan_.task.get_object().erase("parent");
    return make();
  }
  if (!made) return fail(std::move(made.error()));
  made_ = true;
  hear(*made);
  return {};
}

void TaskReporter::hear(const json::value& answer) {
  if (member(answer, "stopping") != json::value(true) || std::exchange(aborted_, true)) return;
  plan_.on_abort();
}

Result<> TaskReporter::tell(const std::string& what, const json::value& body) {
  auto answer = server_.call({.door = Door::kNative,
                              .method = "POST",
                              .path = "/tasks/" + plan_.uuid + "/" + what,
                              .body = &body});
  if (!answer) return fail(std::move(answer.error()));
  hear(*answer);
  return {};
}

Result<> TaskReporter::start() {
  began_ = machine_.elapsed();
  if (auto made = make(); !made && !may_pass(made.error())) return made;
  if (!made_) backoff_ = kBackoffFirst;
  thread_ = std::thread([this] { run(); });
  return {};
}

void TaskReporter::progress(const Figures& figures) {
  {
    const std::lock_guard guard(mutex_);
    if (!unsaid_) unsaid_.emplace();
    if (figures.completed) unsaid_->completed = figures.completed;
    if (figures.total) unsaid_->total = figures.total;
  }
  changed_.notify_all();
}

void TaskReporter::run() {
  std::unique_lock lock(mutex_);
  next_renewal_ = machine_.elapsed() + plan_.renewal;
  while (!ending_ && !refused_) step(lock);
}

// Waits until there is something to report, and reports it.
void TaskReporter::step(std::unique_lock<std::mutex>& lock) {
  const bool away = backoff_ > Millis{0};
  const auto pause = away ? backoff_ : std::max(Millis{0}, next_renewal_ - machine_.elapsed());
  changed_.wait_for(lock, pause, [&] { return ending_ || (!away && unsaid_); });
  if (ending_) return;
  const auto figures = std::exchange(unsaid_, std::nullopt);
  lock.unlock();
  auto said = report(figures);
  lock.lock();
  if (said) {
    backoff_ = Millis{0};
    next_renewal_ = machine_.elapsed() + plan_.renewal;
    changed_.wait_for(lock, kBetweenReports, [&] { return ending_; });
  } else if (may_pass(said.error())) {
    if (figures && !unsaid_) unsaid_ = figures;
    backoff_ = std::clamp(backoff_ * 2, std::min(kBackoffFirst, backoff_most()), backoff_most());
  } else {
    refused_ = std::move(said.error());
  }
}

Result<> TaskReporter::report(const std::optional<Figures>& figures) {
  if (!made_) {
    if (auto made = make(); !made) return made;
  }
  return tell("progress", body_of(figures.value_or(Figures{})));
}

// ---- the end

Result<> TaskReporter::finish(const std::string& error, Millis patience) {
  ended_ = machine_.elapsed();
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (refused_) return fail(*refused_);
  error_ = error;
  return go_on(patience);
}

Result<> TaskReporter::go_on(Millis patience) {
  const Millis until = machine_.elapsed() + patience;
  for (Millis pause = kBackoffFirst;; pause = std::min(pause * 2, backoff_most())) {
    auto said = tell_end();
    if (said || (doubtful_ && said.error().kind == ErrorKind::kConflict)) return {};
    away_ = may_pass(said.error());
    if (!away_ || machine_.elapsed() + pause > until) return said;
    doubtful_ = true;
    machine_.pause(pause);
  }
}

Result<> TaskReporter::tell_end() {
  if (!made_) {
    if (auto made = make(); !made) return made;
  }
  if (unsaid_) {
    if (auto said = tell("progress", body_of(*unsaid_)); !said) return said;
    unsaid_.reset();
  }
  return tell("finish", last_words());
}

json::value TaskReporter::last_words() const {
  json::object body{{"endedSecondsAgo", seconds_since(ended_)}};
  if (!error_.empty()) body["error"] = error_;
  return body;
}

double TaskReporter::seconds_since(Millis instant) const {
  return std::chrono::duration<double>(machine_.elapsed() - instant).count();
}

// The lease must not expire between two tries.
Millis TaskReporter::backoff_most() const { return std::min(kBackoffMost, plan_.renewal); }

}  // namespace docket::cli
