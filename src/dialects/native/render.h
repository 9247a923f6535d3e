#pragma once

// The nouns as this door's JSON. Every member is always present; null means unknown or not yet.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_writer.h"
#include "engine/engine.h"
#include "engine/explain.h"
#include "engine/store.h"
#include "model/event.h"
#include "model/lock.h"
#include "model/schedule.h"
#include "model/task.h"

namespace docket::native {

void write_time(JsonWriter& out, Time time);              // null for kNever
void write_id(JsonWriter& out, std::uint64_t id);         // a string; null for none
void write_text(JsonWriter& out, std::string_view text);  // null when empty

void write_job(JsonWriter& out, const engine::Engine& engine, const engine::JobEntry& entry,
               Time now);
void write_schedule(JsonWriter& out, const engine::Engine& engine, const std::string& job_id,
                    const model::Schedule& schedule, Time now);

// `live`: the progress of its live descendants, see engine/progress_sums.h; runs have none.
using LiveProgress = std::optional<model::Progress>;
void write_task(JsonWriter& out, const model::Task& task, std::string_view job_id,
                const LiveProgress& live = {});
// A task with its attempts, oldest first.
void write_run(JsonWriter& out, const model::Task& run, std::string_view job_id,
               std::span<const model::Task> attempts);

// A task with everything below it.
struct TaskTree {
  model::Task task;
  LiveProgress live;
  std::vector<TaskTree> children;  // oldest first
};
void write_tree(JsonWriter& out, const TaskTree& tree, std::string_view job_id);

// `run_name`: of the run the event is about; empty for events of jobs.
void write_event(JsonWriter& out, const model::Event& event, std::string_view run_name);
void write_explanation(JsonWriter& out, const engine::Explanation& explanation);

// {"items":[...],"next":...}: `next` is passed as ?after= for the next page, and is null on the
// last. A page ends early when its bytes are full, however few items it has.
class PageWriter {
 public:
  static constexpr std::size_t kFullBytes = std::size_t{1} << 20U;

  PageWriter() { json_.begin_object().key("items").begin_array(); }
  JsonWriter& item() { return json_; }  // write one value
  bool full() const { return text_.size() >= kFullBytes; }
  std::string finish(std::string_view next) {
    json_.end_array().key("next");
    write_text(json_, next);
    json_.end_object();
    return std::move(text_);
  }

 private:
  std::string text_;
  JsonWriter json_{text_};
};

}  // namespace docket::native
