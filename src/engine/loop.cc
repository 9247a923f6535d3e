#include "engine/loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/store.h"

namespace docket::engine {
namespace {

constexpr Duration kFullRetry = std::chrono::seconds{1};

std::string no_executor(std::string_view name) {
  return fmt::format("This server has no executor '{}'", name);
}

}  // namespace

Loop::Loop(Engine& engine, Committer& committer, Executors executors, Clock& clock,
           Reactor& reactor, Reserve* reserve)
    : engine_(engine),
      committer_(committer),
      executors_(std::move(executors)),
      clock_(clock),
      reactor_(reactor),
      reserve_(reserve) {}

Loop::~Loop() {
  if (!listeners_.empty()) {
    for (const auto& [name, executor] : executors_.all()) {
      executor->attach(nullptr, engine_.epoch());
    }
  }
  *alive_ = false;
}

// The only place here that reads the time.
Time Loop::see_clock() {
  const ClockReading reading = clock_.read();
  waits_->clock_set(engine_.see_clock(reading));
  const ClockWatch& watch = engine_.clock();
  if (std::exchange(held_, watch.held()) != watch.held() && clock_handler_) clock_handler_(watch);
  return reading.wall;
}

// ---- live attempts; executors are asked side by side

struct Loop::Search {
  std::function<void(Result<>)> ready;
  std::size_t open = 1;  // executors that have not answered, and one for start() itself
  std::vector<AttemptReport> reports;
  Result<> result;
};

void Loop::start(std::function<void(Result<>)> ready) {
  for (const auto& [name, executor] : executors_.all()) {
    executor->attach(&listeners_.emplace_back(*this, name), engine_.epoch());
  }
  const auto search = std::make_shared<Search>(Search{.ready = std::move(ready)});
  for (auto& [name, attempts] : engine_.live_attempts()) {
    Executor* executor = executors_.find(name);
    if (!executor) {
      for (const AttemptQuery& each : attempts) {
        search->reports.push_back(
            {.token = each.token, .phase = AttemptPhase::kLost, .message = no_executor(name)});
      }
      continue;
    }
    ++search->open;
    executor->find(std::move(attempts),
                   [this, alive = alive_, search](Result<std::vector<AttemptReport>> reports) {
                     if (!*alive) return;
                     if (!reports) {
                       search->result = fail(reports.error());
                     } else {
                       std::ranges::move(*reports, std::back_inserter(search->reports));
                     }
                     if (--search->open == 0) found(*search);
                   });
  }
  if (--search->open == 0) found(*search);
}

void Loop::found(const Search& search) {
  if (!search.result) return search.ready(fail(search.result.error()));
  engine_.reconcile(search.reports, see_clock());
  check_disk();
  hold_unless_full(search.ready);  // with the first tick: what fell due while the server was down
}

void Loop::on_attempt(const AttemptReport& report, const std::string& executor) {
  if (failed_) return;
  engine_.on_attempt(report, executor, see_clock());
  schedule_flush();
}

// ---- orders

void Loop::give_orders(const Tick& tick) {
  for (const StartEffect& each : tick.starts) start(each);
  for (const StopEffect& each : tick.stops) stop(each);
  for (const TakenEffect& each : tick.taken) {
    if (Executor* executor = executors_.find(each.executor)) executor->taken(each.token, each.seq);
  }
  std::map<std::string_view, std::vector<TaskId>> forgets;
  for (const ForgetEffect& each : tick.forgets) forgets[each.executor].push_back(each.token);
  for (const auto& [name, tokens] : forgets) {
    if (Executor* executor = executors_.find(name)) executor->forget(tokens);
  }
}

void Loop::start(const StartEffect& start) {
  if (Executor* executor = executors_.find(start.executor)) {
    return executor->start(start.token, start.payload);
  }
  post([this, token = start.token, name = start.executor] {
    on_attempt({.token = token, .phase = AttemptPhase::kExited, .message = no_executor(name)},
               name);
  });
}

void Loop::stop(const StopEffect& stop) {
  if (Executor* executor = executors_.find(stop.executor)) executor->stop(stop.token, stop.grace);
}

// ---- answers

void Loop::hold(Release release, bool changed) {
  if (failed_) return release(fail(failure_));
  // While the store is full, reads are answered from memory as it is: they might wait for ever.
  if (full() && !changed) return release({});
  if (engine_.dirty() || !waiting_.empty()) {
    waiting_.push_back({std::move(release), changed});
    return schedule_flush();
  }
  // A clean engine still has to look at the time: due schedules and placement happen in a flush.
  if (committing_) {
    in_flight_.push_back({std::move(release), changed});
  } else {
    release({});
  }
}

// With the open tick; or at once if there is no room for it, which may last for ever.
void Loop::hold_unless_full(Release release) {
  waiting_.push_back({std::move(release), false});
  schedule_flush();
}

void Loop::schedule_flush() {
  if (std::exchange(flush_scheduled_, true)) return;
  // Posted, not called: everything that is ready now joins this tick, and shares its sync.
  reactor_.post([this, alive = alive_] {
    if (!*alive) return;
    flush_scheduled_ = false;
    flush();
  });
}

void Loop::post(std::function<void()> work) {
  reactor_.post([alive = alive_, work = std::move(work)] {
    if (*alive) work();
  });
}

// The end of the task is in a tick that is not on disk yet.
bool Loop::is_ending(TaskId task) const {
  const auto ended_in = [task](const std::vector<TaskId>& ended) {
    return std::ranges::find(ended, task) != ended.end();
  };
  return ended_in(tick_.ended) || ended_in(engine_.open_ended());
}

Loop::Waiter Loop::wait(TaskId task, Time until, Waits::Done done) {
  if (failed_) {
    done(fail(failure_));
    return {};
  }
  if (!engine_.is_live(task) && !is_ending(task)) {
    done(true);
    return {};
  }
  if (until != kNever && until <= see_clock()) {
    done(false);
    return {};
  }
  const Waiter waiter(waits_, waits_->add(task, until, std::move(done)));
  if (!committing_) rearm();
  return waiter;
}

// ---- ticks

void Loop::flush() {
  const Time now = see_clock();
  waits_->expire(now);
  if (failed_ || committing_) return;
  engine_.observe(!subscribers_->empty());
  engine_.advance(now);
  tick_ = engine_.take();
  in_flight_ = std::exchange(waiting_, {});
  if (!tick_.batch->empty()) return commit();
  release_tick();
  rearm();
}

void Loop::commit() {
  committing_ = true;
  committer_.commit(tick_.batch, [this, alive = alive_](Result<> result) {
    if (*alive) committed(result);
  });
}

void Loop::committed(const Result<>& result) {
  committing_ = false;
  if (!result && is_transient(result.error())) return enter_full(result.error());
  if (!result) return fail_all(result.error());
  release_tick();
  if (full()) check_disk();
  flush();
}

// The tick is durable: lets out its effects, its events and its answers, in this order, so that a
// client that gets its answer finds the rest done.
void Loop::release_tick() {
  const Tick tick = std::exchange(tick_, Tick{});
  const std::vector<Held> answers = std::exchange(in_flight_, {});
  give_orders(tick);
  for (const Notice& notice : tick.notices) publish(notice);
  for (const TaskId task : tick.ended) waits_->ended(task);
  if (tick.starts.empty()) return answer(answers);
  // Executors send their orders at the end of this turn of the reactor. Starts go out first, since
  // an answer wakes its client, who then wants the processor too.
  reactor_.post([answers] { answer(answers); });
}

void Loop::answer(const std::vector<Held>& answers) {
  for (const Held& each : answers) each.release({});
}

void Loop::rearm() {
  Time wake = earlier(engine_.next_wake(), waits_->next_wake());
  if (full()) wake = see_clock() + kFullRetry;
  if (wake == kNever) return;
  reactor_.arm(wake, [this, alive = alive_] {
    if (!*alive) return;
    if (full()) check_disk();
    flush();
  });
}

// ---- a full store

// Nothing of the tick was written. New work is refused from here on; the reserve makes room for
// the ends of runs.
void Loop::enter_full(const Error& error) {
  if (!full()) {
    const bool no_room = error.kind == ErrorKind::kExhausted;
    set_trouble((no_room ? "The disk is full: " : "The store cannot be written: ") + error.message);
  }
  if (reserve_ && reserve_->release()) return commit();
  stop_early(tick_.stops);
  stop_early(engine_.open_stops());  // stops asked for meanwhile may make room
  committing_ = true;
  reactor_.arm(see_clock() + kFullRetry, [this, alive = alive_] {
    if (!*alive) return;
    waits_->expire(see_clock());
    commit();
  });
  answer_unchanged();
}

// Answers reads that came before it was known that the tick they may have seen has no room.
void Loop::answer_unchanged() {
  std::vector<Held> answers;
  for (std::vector<Held>* held : {&in_flight_, &waiting_}) {
    const auto reads = std::ranges::stable_partition(*held, &Held::changed);
    answers.insert(answers.end(), std::make_move_iterator(reads.begin()),
                   std::make_move_iterator(reads.end()));
    held->erase(reads.begin(), reads.end());
  }
  answer(answers);
}

// Orders to stop need no record to be safe: a process that ends without one is found again.
// Everything else waits, and so does a stop of an attempt that has not been started yet: the
// executor would not know the token.
void Loop::stop_early(std::vector<StopEffect>& stops) {
  std::erase_if(stops, [this](const StopEffect& order) {
    const auto starts = [&](const StartEffect& start) { return start.token == order.token; };
    if (std::ranges::any_of(tick_.starts, starts)) return false;
    if (std::ranges::any_of(engine_.open_starts(), starts)) return false;
    stop(order);
    return true;
  });
}

// A tick that is being retried shows best whether there is room.
void Loop::check_disk() {
  if (failed_ || (committing_ && full())) return;
  set_trouble(reserve_ ? reserve_->trouble() : "");
}

void Loop::set_trouble(std::string trouble) {
  const bool is_news = trouble.empty() != trouble_.empty();
  trouble_ = std::move(trouble);
  engine_.refuse_new_work(trouble_);
  if (is_news && full_handler_) full_handler_(trouble_);
}

// ---- a failed store

void Loop::fail_all(const Error& error) {
  failed_ = true;
  failure_ = {.kind = ErrorKind::kUnavailable, .message = "The store has failed: " + error.message};
  tick_ = Tick{};
  std::vector<Held> answers = std::exchange(in_flight_, {});
  std::ranges::move(std::exchange(waiting_, {}), std::back_inserter(answers));
  for (const Held& each : answers) each.release(fail(failure_));
  waits_->fail_all(failure_);
  if (failure_handler_) failure_handler_(failure_);
}

// ---- subscribers

Loop::Subscription Loop::subscribe(Subscriber subscriber) {
  engine_.observe(true);
  subscribers_->emplace(++last_ticket_, std::move(subscriber));
  return {subscribers_, last_ticket_};
}

void Loop::publish(const Notice& notice) {
  // A subscriber may leave while it is called.
  for (auto it = subscribers_->begin(); it != subscribers_->end();) {
    const Subscriber& subscriber = (it++)->second;
    subscriber(notice);
  }
}

void Loop::drain(std::function<void()> done) {
  if (failed_) return reactor_.post(std::move(done));  // no tick will be committed any more
  hold_unless_full([done = std::move(done)](const Result<>&) { done(); });
}

}  // namespace docket::engine
