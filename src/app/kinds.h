#pragma once

// The kinds of this program: a new one is added here.

#include "engine/kinds.h"
#include "kinds/maintenance/maintenance_kind.h"
#include "kinds/process/process_kind.h"
#include "kinds/test/test_kind.h"

namespace docket::app {

class Kinds {
 public:
  // test_api: whether the kind `test` is served.
  Kinds(const engine::Settings& settings, bool test_api)
      : process_(settings.kill_grace),
        all_(test_api ? engine::Kinds{&process_, &maintenance_, &test_}
                      : engine::Kinds{&process_, &maintenance_}) {}
  Kinds(const Kinds&) = delete;
  Kinds& operator=(const Kinds&) = delete;
  const engine::Kinds& all() const { return all_; }
  bool test_api() const { return all_.find(kinds::kTest) != nullptr; }

 private:
  kinds::ProcessKind process_;
  kinds::MaintenanceKind maintenance_;
  kinds::TestKind test_;
  engine::Kinds all_;
};

}  // namespace docket::app
