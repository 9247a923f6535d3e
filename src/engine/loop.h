#pragma once

// Drives the engine: turns requests into ticks, ticks into commits, and lets answers and effects
// out only when the changes behind them are on disk. Reads wait too, for the commit whose changes
// they may have seen, so no answer ever shows what a crash could take back. Strand only.
//
//   loop.call<std::string>([](Engine& e, Time now) -> Result<std::string> { ... },
//                          [reply](Result<std::string> answer) { ... });

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/engine.h"
#include "engine/executors.h"
#include "engine/ports.h"
#include "engine/waits.h"

namespace docket::engine {

class Loop {
 public:
  // What the loop needs to know of the disk: whether there is room to finish what runs, and
  // whether there is room for more.
  class Reserve {
   public:
    virtual ~Reserve() = default;
    virtual bool release() = 0;  // frees some room; false: nothing left to free
    // Why new work has to wait, for people: "The disk is full". Empty: it need not, and the room
    // that was freed has been reserved again.
    virtual std::string trouble() = 0;
  };
  using Subscriber = std::function<void(const Notice&)>;
  using Subscribers = std::map<std::uint64_t, Subscriber>;

  // Ends when it is destroyed, on the strand; may outlive the loop.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(const std::shared_ptr<Subscribers>& subscribers, std::uint64_t ticket)
        : subscribers_(subscribers), ticket_(ticket) {}
    ~Subscription() { end(); }
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept {
      end();
      subscribers_ = std::exchange(other.subscribers_, {});
      ticket_ = other.ticket_;
      return *this;
    }

   private:
    void end() {
      if (const auto subscribers = subscribers_.lock()) subscribers->erase(ticket_);
    }
    std::weak_ptr<Subscribers> subscribers_;
    std::uint64_t ticket_ = 0;
  };

  // A waiter for a task; may outlive the loop. Dropping it changes nothing.
  class Waiter {
   public:
    Waiter() = default;
    Waiter(const std::shared_ptr<Waits>& waits, Waits::Ticket ticket)
        : waits_(waits), ticket_(ticket) {}
    // Ends the wait at once, without a call; does nothing if it was called already. On the strand.
    void cancel() const {
      if (const auto waits = waits_.lock()) waits->cancel(ticket_);
    }

   private:
    std::weak_ptr<Waits> waits_;
    Waits::Ticket ticket_ = 0;
  };

  Loop(Engine& engine, Committer& committer, Executors executors, Clock& clock, Reactor& reactor,
       Reserve* reserve = nullptr);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Restores nothing by itself: call after Engine::restore. Asks the executors about live attempts,
  // then calls ready.
  void start(std::function<void(Result<>)> ready);

  // Runs work now; done gets its result when everything it could have seen is durable, or
  // kUnavailable if the store failed.
  template <class T>
  void call(std::function<Result<T>(Engine&, Time)> work, std::function<void(Result<T>)> done) {
    if (failed_) return done(fail(failure_));
    const Time now = see_clock();
    const std::size_t before = engine_.open_size();
    auto answer = std::make_shared<Result<T>>(work(engine_, now));  // shared with the release below
    hold(
        [answer, done = std::move(done)](const Result<>& durable) {
          durable ? done(std::move(*answer)) : done(fail(durable.error()));
        },
        engine_.open_size() != before);
  }

  // From any thread: runs work on the strand, unless the loop is gone by then.
  void post(std::function<void()> work);

  // Calls done with true once the task has ended, durably; at once if it is not live. With false at
  // `until` (kNever: never), with kUnavailable if the store failed.
  Waiter wait(TaskId task, Time until, Waits::Done done);
  std::size_t waiters() const { return waits_->size(); }

  // Every event once its tick is durable, in order.
  Subscription subscribe(Subscriber subscriber);

  const Kinds& kinds() const { return engine_.kinds(); }
  const Executors& executors() const { return executors_; }
  bool failed() const { return failed_; }
  // Full, or not writable for another reason that passes.
  bool full() const { return !trouble_.empty(); }
  const std::string& trouble() const { return trouble_; }  // why; empty: it is not
  // Called once when the store has failed and nothing more will be acknowledged.
  void on_failure(std::function<void(const Error&)> handler) {
    failure_handler_ = std::move(handler);
  }
  // Called with the reason when the store cannot be written for now, and with none when it can be
  // again.
  void on_full(std::function<void(const std::string&)> handler) {
    full_handler_ = std::move(handler);
  }
  // Called when the clock becomes held (clock_watch.h), or is not held any more: now, or when the
  // next reading shows it.
  void on_clock(std::function<void(const ClockWatch&)> handler) {
    clock_handler_ = std::move(handler);
  }
  // Asks the reserve whether there is trouble, before a commit runs into it. To be called
  // regularly.
  void check_disk();
  // Calls done when everything accepted so far is durable, or when it cannot be (the store has
  // failed, or is full with nothing left to free): for a clean stop.
  void drain(std::function<void()> done);

 private:
  using Release = std::function<void(const Result<>&)>;
  struct Held {
    Release release;
    bool changed;  // false: nothing, so it need not wait for room
  };
  // Listens to one executor.
  class Listener : public ExecutorListener {
   public:
    Listener(Loop& loop, std::string executor) : loop_(loop), executor_(std::move(executor)) {}
    void on_attempt(const AttemptReport& report) override { loop_.on_attempt(report, executor_); }

   private:
    Loop& loop_;
    std::string executor_;
  };
  struct Search;
  void on_attempt(const AttemptReport& report, const std::string& executor);
  void found(const Search& search);
  void give_orders(const Tick& tick);
  void start(const StartEffect& start);
  void stop(const StopEffect& stop);
  Time see_clock();
  void hold(Release release, bool changed);
  void hold_unless_full(Release release);
  bool is_ending(TaskId task) const;
  void publish(const Notice& notice);
  void schedule_flush();
  void flush();
  void commit();
  void committed(const Result<>& result);
  void release_tick();
  static void answer(const std::vector<Held>& answers);
  void answer_unchanged();
  void enter_full(const Error& error);
  void stop_early(std::vector<StopEffect>& stops);
  void set_trouble(std::string trouble);
  void fail_all(const Error& error);
  void rearm();

  Engine& engine_;
  Committer& committer_;
  Executors executors_;
  std::deque<Listener> listeners_;  // one for each executor
  Clock& clock_;
  Reactor& reactor_;
  Reserve* reserve_;
  std::vector<Held> waiting_;    // for the tick that is still open
  std::vector<Held> in_flight_;  // for the tick being committed
  Tick tick_;                    // being committed
  bool committing_ = false;
  bool flush_scheduled_ = false;
  bool failed_ = false;
  std::string trouble_;  // why new work is refused; empty: it is not
  Error failure_;
  std::function<void(const Error&)> failure_handler_;
  std::function<void(const std::string&)> full_handler_;
  bool held_ = false;  // whether the clock is held, as last reported
  std::function<void(const ClockWatch&)> clock_handler_;
  std::shared_ptr<Waits> waits_ =
      std::make_shared<Waits>();  // shared so that waiters know whether it still exists
  std::shared_ptr<Subscribers> subscribers_ =
      std::make_shared<Subscribers>();  // shared so that subscriptions know whether it still exists
  std::uint64_t last_ticket_ = 0;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // shared with posted work, which may outlive the loop
};

}  // namespace docket::engine
