#include "kinds/maintenance/orders.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "kinds/maintenance/maintenance_kind.h"

namespace docket::kinds {
namespace {

namespace fs = std::filesystem;

Result<> check_work(const care::CareWork& work) {
  model::Flaws flaws;
  check(work, flaws);
  std::vector<FieldError> fields = flaws.take();
  if (fields.empty()) return {};
  Error error{.kind = ErrorKind::kInvalid, .subject = fields.front().path.substr(1)};
  error.message = error.subject + " " + fields.front().errors.front();
  error.fields = std::move(fields);
  return fail(std::move(error));
}

std::string file_name(care::Chore chore, Time now) {
  return fmt::format("docket-{:%Y%m%dT%H%M%S}.{:06d}Z.{}",
                     std::chrono::floor<std::chrono::seconds>(now), to_micros(now) % 1'000'000,
                     chore == care::Chore::kBackup ? "db" : "jsonl");
}

// The run that holds the maintenance lock, and those that wait for it.
std::vector<const model::Job*> live_orders(const engine::Engine& engine) {
  std::vector<TaskId> runs = engine.queue().waiters_of(kMaintenanceLock, Orders::kWaitingMax);
  const model::Lock* lock = engine.locks().find(kMaintenanceLock);
  if (lock && lock->holder) runs.push_back(lock->holder);
  std::vector<const model::Job*> jobs;
  for (const TaskId run : runs) jobs.push_back(engine.find_task(run)->job.get());
  return jobs;
}

model::Operation shown(const Order& order) {
  model::Operation what;
  what.module = kMaintenance;
  what.type = order.type.empty() ? care::name_of(order.work.chore) : order.type;
  what.scope = order.keyspace.empty() ? "node" : order.table.empty() ? "keyspace" : "table";
  what.keyspace = order.keyspace;
  what.table = order.table;
  what.entity = order.work.file;
  what.units = care::units_of(order.work.chore);
  what.abortable = true;
  what.user = true;
  what.local = true;
  return what;
}

}  // namespace

Result<TaskId> Orders::ask(engine::Engine& engine, Order order, Time now) const {
  if (auto sound = check_work(order.work); !sound) return fail(std::move(sound.error()));
  const std::vector<const model::Job*> live = live_orders(engine);
  if (live.size() > kWaitingMax) {
    return fail(ErrorKind::kExhausted,
                fmt::format("{} maintenance operations wait already", kWaitingMax));
  }
  if (care::makes_file(order.work.chore)) {
    if (order.work.file.empty()) order.work.file = file_name(order.work.chore, now);
    if (auto free = check_file(order.work.file, live); !free) return fail(free.error());
  }
  model::Operation what = shown(order);
  const auto run =
      engine.start_action(spec_of(MaintenanceSpec{std::move(order.work)}), std::move(what), now);
  if (!run) return fail(run.error());
  return (*run)->task.id;
}

// Looks at the disk: one quick call.
Result<> Orders::check_file(const std::string& file,
                            const std::vector<const model::Job*>& live) const {
  const auto makes_it = [&file](const model::Job* job) {
    const auto* spec = maintenance_of(job->definition.spec);
    return spec && spec->work.file == file;
  };
  std::error_code error;
  if (fs::exists(fs::path(directory_) / file, error) || std::ranges::any_of(live, makes_it)) {
    return fail(ErrorKind::kConflict, file + " exists already");
  }
  return {};
}

}  // namespace docket::kinds
