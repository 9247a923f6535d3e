#include "engine/maintenance.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace docket::engine {
namespace {

constexpr std::size_t kFileNameMax = 128;
constexpr std::string_view kPartial = ".partial";  // files that are being made

struct Words {
  const char* name;
  const char* units;
};
constexpr std::array<Words, kChoreCount> kWords{{{"backup", "bytes"},
                                                 {"verify", "bytes"},
                                                 {"vacuum", "pages"},
                                                 {"checkpoint", "pages"},
                                                 {"retention", "trees"},
                                                 {"export", "records"},
                                                 {"upgrade", "versions"}}};

constexpr std::array<const char*, 9> kFamilies{"job",  "schedule", "task",      "event",  "ledger",
                                               "lock", "secret",   "operation", "listing"};

tl::unexpected<Error> invalid(const char* member, const std::string& message) {
  Error error{.kind = ErrorKind::kInvalid, .message = std::string(member) + " " + message};
  error.fields.push_back({.path = std::string("/") + member, .errors = {message}});
  error.subject = member;
  return fail(std::move(error));
}

bool is_file_name(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
  return !text.empty() && text.size() <= kFileNameMax && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos && !text.ends_with(kPartial);
}

}  // namespace

const char* name_of(Chore chore) { return kWords[static_cast<std::size_t>(chore)].name; }

const char* units_of(Chore chore) { return kWords[static_cast<std::size_t>(chore)].units; }

std::optional<Chore> chore_of(std::string_view name) {
  const auto found = std::ranges::find(kWords, name, &Words::name);
  if (found == kWords.end()) return std::nullopt;
  return static_cast<Chore>(found - kWords.begin());
}

bool makes_file(Chore chore) { return chore == Chore::kBackup || chore == Chore::kExport; }

std::span<const char* const> record_families() { return kFamilies; }

Result<> check(const ChoreOrder& order) {
  if (!order.file.empty() && !makes_file(order.chore)) {
    return invalid("file", "is for backup and export only");
  }
  if (!order.file.empty() && !is_file_name(order.file)) {
    return invalid("file",
                   "must be a name of 1 to 128 of A-Z a-z 0-9 _ - . which does not begin "
                   "with a dot or end in .partial");
  }
  for (const std::string& family : order.families) {
    if (std::ranges::find(kFamilies, std::string_view(family)) == kFamilies.end()) {
      return invalid("families", "has no '" + family + "'");
    }
  }
  return {};
}

model::Operation operation_of(const ChoreOrder& order) {
  model::Operation what;
  what.module = kMaintenanceModule;
  what.type = order.type.empty() ? name_of(order.chore) : order.type;
  what.scope = order.keyspace.empty() ? "node" : order.table.empty() ? "keyspace" : "table";
  what.keyspace = order.keyspace;
  what.table = order.table;
  what.entity = order.file;
  what.units = units_of(order.chore);
  what.abortable = true;
  what.user = true;
  what.local = true;
  return what;
}

}  // namespace docket::engine
