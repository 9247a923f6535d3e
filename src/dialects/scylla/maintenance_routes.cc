// docket's housekeeping through this API: scylla-tasks.md section 6. Every operation exists twice,
// by one mechanism: under /tasks it answers at once with the id of its task, under its own path
// when that task has ended. A keyspace is one of docket's kinds or rooms, and `docket` is the whole
// store; its tables are the families of records that belong to it.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/json_writer.h"
#include "dialects/scylla/routes.h"
#include "kinds/maintenance/orders.h"

namespace docket::scylla {
namespace {

using care::Chore;
using engine::Engine;
using kinds::Order;

// The answer of a synchronous route when its task is done (section 6); a failure is an error.
enum class Outcome { kNothing, kZero, kTrue, kScrub };

using Read = Wire<Order> (*)(const http::Request& request);

struct MaintenanceRoute {
  const char* method;
  std::string async_path;
  std::string sync_path;  // empty: none
  Read read;
  Outcome outcome;
};

std::string text(const http::Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(std::string_view()));
}

tl::unexpected<http::Response> wrong(int status, const std::string& message) {
  return tl::unexpected(error_response(status, message));
}

// ---- keyspaces

const std::vector<std::string>* tables_of(const std::string& keyspace) {
  static const std::map<std::string, std::vector<std::string>> kKeyspaces{
      {"docket", {care::record_families().begin(), care::record_families().end()}},
      {"process", {"job", "schedule", "task", "event", "ledger", "lock", "secret"}},
      {kinds::kMaintenance, {"operation", "listing"}}};
  const auto found = kKeyspaces.find(keyspace);
  return found == kKeyspaces.end() ? nullptr : &found->second;
}

std::vector<std::string> split(const std::string& names) {
  std::vector<std::string> parts;
  for (std::size_t from = 0; from <= names.size();) {
    const std::size_t comma = std::min(names.find(',', from), names.size());
    parts.push_back(names.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

// Turns keyspace and tables into the order. All tables of `docket` mean the whole store.
Wire<Order> order_for(Chore chore, const std::string& type, const std::string& keyspace,
                      const std::string& tables) {
  const std::vector<std::string>* known = tables_of(keyspace);
  if (!known) return wrong(400, "Can't find a keyspace " + keyspace);
  Order order{.work = {.chore = chore}, .type = type, .keyspace = keyspace};
  if (tables.empty()) {
    if (chore == Chore::kVerify && keyspace != "docket") order.work.families = *known;
    return order;
  }
  const std::vector<std::string> named = split(tables);
  for (const std::string& table : named) {
    if (std::ranges::find(*known, table) != known->end()) continue;
    return wrong(400, fmt::format("Can't find a column family {} in keyspace {}", table, keyspace));
  }
  if (chore == Chore::kVerify) order.work.families = named;
  if (named.size() == 1) order.table = named.front();
  return order;
}

Wire<Order> order_of_path(Chore chore, const char* type, const http::Request& request) {
  return order_for(chore, type, request.params[0], text(request, "cf"));
}

// ---- section 6, row by row

// The flags of a compaction are parsed differently and have an error of their own.
Wire<bool> check_compaction_flag(const http::Request& request, std::string_view name) {
  std::string word = text(request, name);
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const char* known : {"", "true", "yes", "1", "false", "no", "0"}) {
    if (word == known) return true;
  }
  return wrong(500, "std::runtime_error (Invalid boolean parameter value)");
}

Wire<Order> read_compaction(const http::Request& request) {
  auto order = order_of_path(Chore::kVacuum, "major compaction", request);
  if (!order) return order;
  for (const char* flag : {"flush_memtables", "consider_only_existing_data"}) {
    if (auto fine = check_compaction_flag(request, flag); !fine) {
      return tl::unexpected(std::move(fine.error()));
    }
  }
  return order;
}

Wire<Order> read_cleanup(const http::Request& request) {
  return order_of_path(Chore::kRetention, "cleanup compaction", request);
}

Wire<Order> read_offstrategy(const http::Request& request) {
  return order_of_path(Chore::kCheckpoint, "offstrategy compaction", request);
}

Wire<bool> check_choice(const http::Request& request, const std::string& name,
                        const std::vector<std::string>& choices) {
  const std::string value = text(request, name);
  if (value.empty() || std::ranges::find(choices, value) != choices.end()) return true;
  return wrong(400, fmt::format("Unknown argument for '{}' parameter: {}", name, value));
}

// No mode repairs anything, so there is nothing to take a snapshot for.
Wire<Order> read_scrub(const http::Request& request) {
  auto order = order_of_path(Chore::kVerify, "scrub sstables compaction", request);
  if (!order) return order;
  for (const char* flag : {"disable_snapshot", "skip_corrupted"}) {
    if (auto fine = bool_parameter(request, flag, false); !fine) {
      return tl::unexpected(std::move(fine.error()));
    }
  }
  auto mode = check_choice(request, "scrub_mode", {"ABORT", "SKIP", "SEGREGATE", "VALIDATE"});
  if (!mode) return tl::unexpected(std::move(mode.error()));
  auto quarantine = check_choice(request, "quarantine_mode", {"INCLUDE", "EXCLUDE", "ONLY"});
  if (!quarantine) return tl::unexpected(std::move(quarantine.error()));
  return order;
}

Wire<Order> read_upgrade(const http::Request& request) {
  auto order = order_of_path(Chore::kUpgrade, "upgrade sstables compaction", request);
  if (!order) return order;
  auto fine = bool_parameter(request, "exclude_current_version", false);
  if (!fine) return tl::unexpected(std::move(fine.error()));
  return order;
}

// A copy goes into the server's own directory; a request for another place is refused.
Wire<Order> read_snapshot(const http::Request& request) {
  for (const char* option : {"endpoint", "bucket", "prefix"}) {
    if (text(request, option).empty()) continue;
    return wrong(400, fmt::format("option {} is not supported", option));
  }
  const std::string keyspace = text(request, "keyspace");
  auto order = order_for(Chore::kBackup, "backup", keyspace.empty() ? "docket" : keyspace,
                         text(request, "table"));
  if (!order) return order;
  order->keyspace = keyspace;
  order->work.file = text(request, "snapshot");
  return order;
}

// docket's own parameters: `file` for chores that write one, `keyspace` and `cf` for those that
// read tables.
template <Chore kChore>
Wire<Order> read_own(const http::Request& request) {
  Order order{.work = {.chore = kChore}};
  const std::string keyspace = text(request, "keyspace");
  const std::string tables = text(request, "cf");
  if (!keyspace.empty() || !tables.empty()) {
    auto narrowed =
        order_for(kChore, care::name_of(kChore), keyspace.empty() ? "docket" : keyspace, tables);
    if (!narrowed) return narrowed;
    order = std::move(*narrowed);
  }
  order.work.file = text(request, "file");
  return order;
}

MaintenanceRoute keyspace_route(const char* method, const std::string& name, Read read,
                                Outcome outcome) {
  return {method, "/tasks/compaction/" + name + "/{keyspace}",
          "/storage_service/" + name + "/{keyspace}", read, outcome};
}

template <Chore kChore>
MaintenanceRoute own_route() {
  const std::string name = care::name_of(kChore);
  return {"POST", "/tasks/maintenance/" + name, "/maintenance/" + name, read_own<kChore>,
          Outcome::kNothing};
}

std::vector<MaintenanceRoute> maintenance_table() {
  return {
      keyspace_route("POST", "keyspace_compaction", read_compaction, Outcome::kNothing),
      keyspace_route("POST", "keyspace_cleanup", read_cleanup, Outcome::kZero),
      keyspace_route("POST", "keyspace_offstrategy_compaction", read_offstrategy, Outcome::kTrue),
      keyspace_route("GET", "keyspace_scrub", read_scrub, Outcome::kScrub),
      keyspace_route("GET", "keyspace_upgrade_sstables", read_upgrade, Outcome::kZero),
      {"POST", "/storage_service/backup", "", read_snapshot, Outcome::kNothing},
      own_route<Chore::kBackup>(),
      own_route<Chore::kVerify>(),
      own_route<Chore::kVacuum>(),
      own_route<Chore::kCheckpoint>(),
      own_route<Chore::kRetention>(),
      own_route<Chore::kExport>(),
      own_route<Chore::kUpgrade>(),
  };
}

// ---- the twin

http::Response refusal(const Error& error) {
  const bool asked_wrong = error.kind == ErrorKind::kInvalid || error.kind == ErrorKind::kConflict;
  if (asked_wrong) return error_response(400, error.message);
  return error_response(500, "std::runtime_error (" + error.message + ")");
}

http::Response done_response(Outcome outcome) {
  switch (outcome) {
    case Outcome::kNothing:
      break;
    case Outcome::kZero:
    case Outcome::kScrub:
      return json_response("0");
    case Outcome::kTrue:
      return json_response("true");
  }
  return void_response();
}

// Failures of a scrub have codes of their own: 1 aborted, 3 validation errors.
http::Response ended_response(const model::Task& task, Outcome outcome) {
  if (task.state == model::State::kDone) return done_response(outcome);
  const bool aborted = task.state == model::State::kAborted;
  if (outcome == Outcome::kScrub) return json_response(aborted ? "1" : "3");
  if (aborted) {
    return error_response(500, "seastar::abort_requested_exception (abort requested)");
  }
  return error_response(500, "std::runtime_error (" + task.message + ")");
}

void answer_when_ended(const ContextPtr& context, TaskId task, Outcome outcome,
                       const http::Reply& reply) {
  if (!task) return reply(done_response(outcome));
  const auto waiter =
      context->loop.wait(task, kNever, [context, task, outcome, reply](const Result<bool>& ended) {
        if (!ended) return reply(refusal(ended.error()));
        with_any_task(context, task, reply, [outcome, reply](engine::Reader&, const Found& found) {
          reply(ended_response(found.row.task, outcome));
        });
      });
  reply.on_gone([waiter] { waiter.cancel(); });
}

// No task: a store that keeps everything needs no cleanup.
std::string id_of(TaskId task) {
  return task ? model::uuid_of(task) : "00000000-0000-0000-0000-000000000000";
}

using Answer = std::function<void(TaskId task, const http::Reply& reply)>;

void ask(const ContextPtr& context, const Order& order, const http::Reply& reply, Answer go_on) {
  const kinds::Orders* maintenance = context->settings.maintenance;
  if (!maintenance) return reply(error_response(500, "std::runtime_error (no maintenance here)"));
  context->loop.call<TaskId>(
      [maintenance, order](Engine& engine, Time now) -> Result<TaskId> {
        const bool keeps_all = engine.settings().retention == Duration::zero();
        if (order.work.chore == Chore::kRetention && keeps_all) return TaskId{};
        return maintenance->ask(engine, order, now);
      },
      [reply, go_on = std::move(go_on)](const Result<TaskId>& task) {
        if (!task) return reply(refusal(task.error()));
        go_on(*task, reply);
      });
}

http::Route route_of(const ContextPtr& context, const char* method, const std::string& path,
                     Read read, const Answer& go_on) {
  return {
      .method = method,
      .pattern = path,
      .handler = [context, read, go_on](const http::Request& request, const http::Reply& reply) {
        // Some of these are GET, which readers may send, but they do work.
        if (!request.identity || !request.identity->may(gate().resource, gate().write)) {
          return reply(error_response(
              403,
              "This needs the permission " + http::permission_for(gate().resource, gate().write)));
        }
        auto order = read(request);
        if (!order) return reply(std::move(order.error()));
        ask(context, *order, reply, go_on);
      }};
}

}  // namespace

std::vector<http::Route> maintenance_routes(const ContextPtr& context) {
  std::vector<http::Route> routes;
  for (const MaintenanceRoute& each : maintenance_table()) {
    routes.push_back(route_of(context, each.method, each.async_path, each.read,
                              [](TaskId task, const http::Reply& reply) {
                                reply(json_response("\"" + id_of(task) + "\""));
                              }));
    if (each.sync_path.empty()) continue;
    routes.push_back(
        route_of(context, each.method, each.sync_path, each.read,
                 [context, outcome = each.outcome](TaskId task, const http::Reply& reply) {
                   answer_when_ended(context, task, outcome, reply);
                 }));
  }
  return routes;
}

}  // namespace docket::scylla
