#pragma once

// list_module_tasks, written piece by piece from the store: lane by lane, first live tasks, then
// those that have ended and are still listed. Runs that have not ended have no listing; they are
// found by their state. Cluster tasks come last in their lane.
//
// Tasks end while this is under way. Live tasks come first, so that none is missed; one that was
// shown alive is not shown again. One turn at a time on the archive's threads.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/store.h"

namespace docket::scylla {

struct ModuleQuery {
  std::string module;
  bool has_runs = false;  // of a kind of this name
  std::vector<std::uint32_t> lanes;
  bool internal = false;
  std::optional<std::string> keyspace, table;  // exact
  Time now = kNever;
};

class ModuleWalk {
 public:
  explicit ModuleWalk(ModuleQuery query);
  // Appends until there are `enough` bytes; false if nothing is left.
  Result<bool> write(engine::Reader& reader, std::string& out, std::size_t enough);

 private:
  enum class Part { kLiveRuns, kLive, kEnded };
  struct Source {
    Part part = Part::kLive;
    std::uint32_t lane = 0;
    bool internal = false;
    bool cluster = false;  // only cluster tasks; else only the others
    bool last = false;     // of its lane
  };
  void add(Source source);
  Result<bool> write_page(engine::Reader& reader, std::string& out);
  Result<bool> write_live_runs(engine::Reader& reader, std::string& out);
  Result<bool> write_listed(engine::Reader& reader, std::string& out, const Source& source);
  void end_source();
  void write_listed_row(std::string& out, const engine::ListedRow& listed, const Source& source);
  void write_row(std::string& out, const engine::TaskRow& row);

  ModuleQuery query_;
  std::vector<Source> sources_;      // the next one is at the back
  bool passed_cluster_ = false;      // in this lane
  std::vector<TaskId> shown_alive_;  // in this lane, ascending
  std::optional<TaskId> after_;
  Time after_until_ = kNever;
  bool begun_ = false;
  bool has_rows_ = false;
};

}  // namespace docket::scylla
