#pragma once

// The queue as JSON, turn by turn (see answer_list): one entry per job, by its full id ([rule] of
// section 7), with its runs by age. Strand only.

#include <string>
#include <utility>

#include "core/json_writer.h"
#include "engine/engine.h"
#include "http/access.h"

namespace docket::metronome {

class QueueWriter {
 public:
  explicit QueueWriter(http::IdentityPtr caller) : caller_(std::move(caller)) {}
  Result<bool> operator()(const engine::Engine& engine, JsonWriter& json, const std::string& text);

 private:
  void write_short(const engine::Engine& engine, JsonWriter& json) const;
  bool write_long(const engine::Engine& engine, JsonWriter& json, const std::string& text);
  bool write_runs(const engine::Engine& engine, const engine::JobEntry& entry, JsonWriter& json,
                  const std::string& text);
  void begin(JsonWriter& json, const std::string& job);
  void end(JsonWriter& json);

  http::IdentityPtr caller_;
  bool begun_ = false;
  std::string job_;    // the last one examined
  bool open_ = false;  // its entry is open
  TaskId after_;       // its last run written
};

}  // namespace docket::metronome
