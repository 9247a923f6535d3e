#pragma once

// The kinds of this program: a new one is added here.

#include "engine/kinds.h"
#include "kinds/process/process_kind.h"

namespace docket::app {

class Kinds {
 public:
  explicit Kinds(const engine::Settings& settings) : process_(settings.kill_grace) {}
  Kinds(const Kinds&) = delete;
  Kinds& operator=(const Kinds&) = delete;
  const engine::Kinds& all() const { return all_; }

 private:
  kinds::ProcessKind process_;
  engine::Kinds all_{&process_};
};

}  // namespace docket::app
