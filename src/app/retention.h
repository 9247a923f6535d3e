#pragma once

// Retention on demand, for the care executor: runs slices of the engine's own. Strand only.

#include <functional>

#include "engine/engine.h"
#include "engine/loop.h"
#include "exec/care/care_executor.h"

namespace docket::app {

class Retention : public care::Retention {
 public:
  Retention(engine::Engine& engine, engine::Loop& loop, Clock& clock)
      : engine_(engine), loop_(loop), clock_(clock) {}
  Time kept_since() override { return engine_.kept_since(clock_.now()); }
  void sweep(std::function<void(Result<>)> done) override {
    loop_.post([this, done = std::move(done)] {
      loop_.call<bool>(
          [](engine::Engine& engine, Time now) -> Result<bool> {
            engine.sweep_now(now);
            return true;
          },
          [done](const Result<bool>& swept) { done(swept ? Result<>{} : fail(swept.error())); });
    });
  }

 private:
  engine::Engine& engine_;
  engine::Loop& loop_;
  Clock& clock_;
};

}  // namespace docket::app
