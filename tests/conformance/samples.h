#pragma once

// Rows for tests: plain ones, and ones with something unusual in every member.

#include "engine/store.h"

namespace docket::conformance {

inline Time at_second(std::int64_t seconds) { return from_micros(seconds * 1'000'000); }

engine::JobRow plain_job(std::uint64_t uid, const std::string& id, std::uint32_t version = 1);
engine::JobRow rich_job(std::uint64_t uid);
model::Task plain_run(std::uint64_t id, std::uint64_t job = 1,
                      model::State state = model::State::kQueued);
model::Task plain_attempt(std::uint64_t id, const model::Task& run,
                          model::State state = model::State::kRunning);
model::Task rich_run(std::uint64_t id, std::uint64_t job);
// A step of a run, as its kind planned it.
model::Task plain_step(std::uint64_t id, const model::Task& above, const std::string& key);
// A live operation of module "backups": a root, or below `parent`.
model::Task plain_operation(std::uint64_t id, const model::Task* parent = nullptr);
model::Task rich_operation(std::uint64_t id);
// Ended, and folded into its parent by event number `fold`.
model::Task folded(model::Task operation, std::uint64_t fold,
                   model::State state = model::State::kDone);
// As move() would do it: sets the state and its instants.
model::Task ended(model::Task task, model::State state, Time when);
model::Event plain_event(std::uint64_t seq, const model::Task& task);
model::Listing plain_listing(const model::Task& operation, Time until = model::kForever);
model::Schedule plain_schedule(std::uint64_t uid, std::uint64_t job);
model::Schedule rich_schedule(std::uint64_t uid, std::uint64_t job);

model::LedgerEntry plain_entry(std::uint64_t schedule, std::int64_t first_s, std::int64_t last_s);

}  // namespace docket::conformance
