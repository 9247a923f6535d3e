#pragma once

// docket's own housekeeping as tasks: what can be ordered, and the port through which doors order
// it. Each order becomes an operation of the module `maintenance` with progress, and may be waited
// for and aborted like any other; so a door needs no more than an id, and offers the same order
// both as "answer when it is done" and as "answer the task".
//
//   loop.call<TaskId>([&](Engine& engine, Time now) { return maintenance.ask(engine, order, now);
//   },
//                     [reply](Result<TaskId> task) { ... });

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace docket::engine {

inline constexpr const char* kMaintenanceModule = "maintenance";

enum class Chore : std::uint8_t {
  kBackup,
  kVerify,
  kVacuum,
  kCheckpoint,
  kRetention,
  kExport,
  kUpgrade,
};
inline constexpr int kChoreCount = 7;
const char* name_of(Chore chore);  // "backup", "verify", ...
std::optional<Chore> chore_of(std::string_view name);
const char* units_of(Chore chore);  // of its progress: "bytes", "pages", "trees", "records"
bool makes_file(Chore chore);       // backup and export

// The kinds of records a store has: "job", "task", ... Some chores can be ordered for some of them.
std::span<const char* const> record_families();

struct ChoreOrder {
  Chore chore = Chore::kVerify;
  // Of backup and export: a name in the server's directory for them; empty: named by the instant.
  std::string file;
  std::vector<std::string> families;  // of verify; empty: all
  // How the task is shown.
  std::string type;  // empty: the chore's name
  std::string keyspace, table;
};

// kInvalid, with the member at fault: a family that is none, or a file that could be elsewhere than
// in the directory: names of 1 to 128 of A-Z a-z 0-9 _ - . that do not begin with a dot.
Result<> check(const ChoreOrder& order);

// The task of the order.
model::Operation operation_of(const ChoreOrder& order);

// Strand only.
class Maintenance {
 public:
  virtual ~Maintenance() = default;
  // The task of the order, created: it is carried out once that is durable and what was ordered
  // before has ended. Inside Loop::call. kInvalid: see check(). kConflict: the file exists.
  // kExhausted: too many orders wait. kUnavailable: the server is stopping.
  virtual Result<TaskId> ask(Engine& engine, ChoreOrder order, Time now) = 0;
};

}  // namespace docket::engine
