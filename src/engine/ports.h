#pragma once

// The remaining ports of the engine's strand: where ticks are committed, and what wakes it.

#include <functional>
#include <memory>

#include "core/result.h"
#include "core/time.h"
#include "engine/batch.h"

namespace docket::engine {

// Commits ticks off the strand, one at a time, in order; done is called back on the strand.
class Committer {
 public:
  using Done = std::function<void(Result<>)>;
  virtual ~Committer() = default;
  virtual void commit(std::shared_ptr<const Batch> batch, Done done) = 0;  // shared: kept by the loop for a retry
};

// The strand's event loop.
class Reactor {
 public:
  virtual ~Reactor() = default;
  virtual void post(std::function<void()> work) = 0;  // after what is ready now
  // One timer; arming again replaces it. Wall time: the reactor must also wake within a second of a clock step.
  virtual void arm(Time when, std::function<void()> work) = 0;
};

}  // namespace docket::engine
