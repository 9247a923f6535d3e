#pragma once

// Carries out CareWork (launch.h): docket's own housekeeping, one piece after the other on a
// thread of its own. Work that has begun ends with its server; files that it left half made are
// removed when the next server attaches. Strand only, except for the destructor; see
// engine/executor.h.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/executor.h"
#include "engine/store_care.h"
#include "exec/care/launch.h"

namespace docket::care {

// What retention asks of the engine, which removes old trees itself, a slice at a time. Strand
// only.
class Retention {
 public:
  virtual ~Retention() = default;
  virtual Time kept_since() = 0;  // kNever: all is kept
  // Removes a slice; done is called when that is durable, not from within the call.
  virtual void sweep(std::function<void(Result<>)> done) = 0;
};

class CareExecutor : public engine::Executor {
 public:
  using Piece = std::function<void()>;
  struct Ports {
    engine::StoreCare& care;
    Retention& retention;
    Clock& clock;
    std::function<void(Piece)> background;  // on another thread, one after the other
    std::function<void(Piece)> post;        // on the strand, from any thread; never within the call
  };
  // `directory`: for backups and exports; made when the first is asked for.
  CareExecutor(Ports ports, std::string directory);
  ~CareExecutor() override;
  CareExecutor(const CareExecutor&) = delete;
  CareExecutor& operator=(const CareExecutor&) = delete;

  void attach(engine::ExecutorListener* listener, std::uint64_t epoch) override;
  void start(TaskId token, const engine::PayloadPtr& payload) override;
  void stop(TaskId token, std::optional<Duration> grace) override;
  void forget(const std::vector<TaskId>& tokens) override;
  void find(std::vector<engine::AttemptQuery> attempts,
            std::function<void(Result<std::vector<engine::AttemptReport>>)> done) override;
  void taken(TaskId token, std::uint64_t seq) override;

  // The server stops: work that is under way fails soon, and work that is started from now on is
  // left to the next server.
  void shut();
  // Once, on the strand: calls `then` when nothing of it is under way, which may be later.
  void on_idle(std::function<void()> then);

 private:
  class Work;
  using WorkPtr = std::shared_ptr<Work>;  // shared with the piece that runs in the background

  void on_strand(std::function<void()> what);
  void carry_out(const WorkPtr& work);
  void begun(Work& work);
  void told(Work& work, const model::Progress& progress);
  void ended(Work& work, const Result<>& result);
  void tell(const Work& work) const;
  void check_idle();
  void retain(const WorkPtr& work);
  void count_trees(const WorkPtr& work, Time before);
  void counted(const WorkPtr& work, Time before, const Result<std::uint64_t>& trees);

  Ports ports_;
  const std::string directory_;
  engine::ExecutorListener* listener_ = nullptr;
  bool shut_ = false;
  std::function<void()> on_idle_;
  std::map<TaskId, WorkPtr> works_;
  // Shared with what is posted, which may run after the end of this object.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace docket::care
