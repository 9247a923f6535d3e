#pragma once

// What clients may rely on. An acknowledged write stays for ever; a refused one never appears; one
// whose answer was lost may be there or not, until a later acknowledged write to the same thing
// decides it. Everything that a client writes carries a mark, so that writes can be told apart.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/batch.h"
#include "sim/record.h"
#include "sim/verdict.h"
#include "store/memory/memory_store.h"

namespace docket::sim {

using Mark = std::optional<std::int64_t>;  // none: the thing does not exist

// What one request does if it succeeds.
struct Effect {
  std::map<std::string, Mark> writes;  // "job a", "schedule a/nightly"
  TaskId started;
  TaskId stopped;
};

std::string job_key(const std::string& job);
std::string schedule_key(const std::string& job, const std::string& schedule);
std::string secret_key(const std::string& path);
Mark mark_of(const model::Job& job);
Mark mark_of(const model::Schedule& schedule);
Mark mark_of(const model::SealedSecret& secret);

class Expectations {
 public:
  Expectations(const Record& record, Verdict& verdict) : record_(record), verdict_(verdict) {}

  void may_happen(const Effect& effect);    // the engine has done it; not durable yet
  void acknowledged(const Effect& effect);  // the client has its answer: it must be durable now
  // Checks that everything that was ever acknowledged is on this disk.
  void check_definitions(const engine::Snapshot& snapshot);
  void check_runs(const store::MemoryState& state);
  // Checks that every acknowledged run has ended.
  void check_all_ended();
  std::size_t runs() const { return started_.size(); }

 private:
  std::map<std::string, Mark> stored(const engine::Snapshot& snapshot) const;
  void check_write(const std::string& key, const Mark& actual);
  Mark recorded(const std::string& key) const;

  const Record& record_;
  Verdict& verdict_;
  std::map<std::string, std::vector<Mark>> possible_;
  std::vector<TaskId> started_;
  std::vector<TaskId> stopped_;
};

}  // namespace docket::sim
