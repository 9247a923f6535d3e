#pragma once

// The executors of this server, by name. The first one has no name: it is meant where a plan names
// no executor. Immutable; each executor has its own thread rule.

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/executor.h"

namespace docket::engine {

class Executors {
 public:
  // Executors other than the first.
  using Named = std::pair<std::string, Executor*>;

  explicit Executors(Executor& first, std::initializer_list<Named> others = {})
      : all_{{"", &first}} {
    all_.insert(all_.end(), others.begin(), others.end());
  }

  Executor* find(std::string_view name) const {  // null: there is none
    for (const auto& [known, executor] : all_) {
      if (known == name) return executor;
    }
    return nullptr;
  }
  const std::vector<Named>& all() const { return all_; }

 private:
  std::vector<Named> all_;
};

}  // namespace docket::engine
