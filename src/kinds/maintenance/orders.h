#pragma once

// How doors order housekeeping. Each order is an action of the kind `maintenance`: a task that may
// be waited for and aborted like any other. So a door needs only its id, and can offer the same
// order both as "answer when it is done" and as "answer the task".
//
//   loop.call<TaskId>([&](Engine& engine, Time now) { return orders.ask(engine, order, now); },
//                     [reply](Result<TaskId> task) { ... });

#include <string>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "kinds/maintenance/spec.h"

namespace docket::kinds {

struct Order {
  care::CareWork work;  // without a name its file is named after the instant
  // How the task is shown.
  std::string type = {};  // empty: the chore's name
  std::string keyspace = {}, table = {};
};

// Strand only.
class Orders {
 public:
  // `directory`: for backups and exports; need not exist.
  explicit Orders(std::string directory) : directory_(std::move(directory)) {}

  // The task of the order. Inside Loop::call. kInvalid, with the member at fault: see check().
  // kConflict: the file exists, or an earlier order will make it. kExhausted: too many wait.
  Result<TaskId> ask(engine::Engine& engine, Order order, Time now) const;

  static constexpr std::size_t kWaitingMax = 100;

 private:
  Result<> check_file(const std::string& file, const std::vector<const model::Job*>& live) const;
  std::string directory_;
};

}  // namespace docket::kinds
