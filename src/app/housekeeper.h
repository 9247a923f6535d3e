#pragma once

// Carries out housekeeping, one order after the other, and keeps the order's task in step: created
// while it waits, running with progress, ended as the work did. The work itself runs elsewhere (on
// a thread of its own, at once in tests) and speaks to the task by way of the loop.
//
// An order begins when its task is durable. Its task is the engine's `local` kind: after a crash it
// has failed, and what it had half made is swept away at the next start.
//
// Strand only, but for the destructor.

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/clock.h"
#include "engine/loop.h"
#include "engine/maintenance.h"
#include "engine/store_care.h"

namespace docket::app {

class Housekeeper : public engine::Maintenance {
 public:
  using Elsewhere = std::function<void(std::function<void()>)>;

  // `directory`: of backups and exports, made when the first is asked for.
  Housekeeper(engine::Loop& loop, Clock& clock, engine::StoreCare& care, std::string directory,
              Elsewhere elsewhere);
  ~Housekeeper() override;

  Result<TaskId> ask(engine::Engine& engine, engine::ChoreOrder order, Time now) override;

  // What is under way is asked to stop, what waits is not begun any more: both fail.
  void stop();

  static constexpr std::size_t kWaitingMax = 100;

 private:
  class Work;
  struct Waiting {
    TaskId task;
    engine::ChoreOrder order;
  };

  Result<> name_file(engine::ChoreOrder& order, Time now) const;
  void next();
  void begin(const Waiting& waiting);
  void carry_out(const engine::ChoreOrder& order);
  void retain();
  void count_trees();
  void counted(const Result<std::uint64_t>& trees);
  void sweep_slice();
  void end_aborted(engine::Engine& engine, Time now);
  void end_unbegun(TaskId task, const std::string& error);
  void finished(const Result<>& result);

  engine::Loop& loop_;
  Clock& clock_;
  engine::StoreCare& care_;
  std::string directory_;
  Elsewhere elsewhere_;
  std::deque<Waiting> waiting_;
  std::shared_ptr<Work> work_;  // under way; shared with the work elsewhere. Null: none
  bool stopped_ = false;
};

// Removes what a crash left half made in the directory.
void remove_partial_files(const std::string& directory);

}  // namespace docket::app
