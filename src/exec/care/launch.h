#pragma once

// The payload of the care executor: a chore of docket's own housekeeping, and what to apply it to.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace docket::care {

inline constexpr const char* kName = "care";  // of the executor

enum class Chore : std::uint8_t {
  kBackup,
  kVerify,
  kVacuum,
  kCheckpoint,
  kRetention,
  kExport,
  kUpgrade,
};

struct CareWork {
  Chore chore = Chore::kVerify;
  std::string file;                   // of backup and export: a name in the server's directory
  std::vector<std::string> families;  // of verify; empty: all
  bool operator==(const CareWork&) const = default;
};

struct ChoreWords {
  const char* name;
  const char* units;  // of its progress
};
inline constexpr std::array<ChoreWords, 7> kChores{{{"backup", "bytes"},
                                                    {"verify", "bytes"},
                                                    {"vacuum", "pages"},
                                                    {"checkpoint", "pages"},
                                                    {"retention", "trees"},
                                                    {"export", "records"},
                                                    {"upgrade", "versions"}}};

inline const char* name_of(Chore chore) { return kChores[static_cast<std::size_t>(chore)].name; }
inline const char* units_of(Chore chore) { return kChores[static_cast<std::size_t>(chore)].units; }
inline std::optional<Chore> chore_of(std::string_view name) {
  const auto* found = std::ranges::find(kChores, name, &ChoreWords::name);
  if (found == kChores.end()) return std::nullopt;
  return static_cast<Chore>(found - kChores.begin());
}
// The suffix of files that are being made.
inline constexpr std::string_view kPartial = ".partial";

inline bool makes_file(Chore chore) { return chore == Chore::kBackup || chore == Chore::kExport; }

// The kinds of records a store has. Some chores can be ordered for some of them.
inline constexpr std::array<const char*, 10> kRecordFamilies{
    "job",  "schedule", "task",   "event",     "ledger",
    "lock", "secret",   "record", "operation", "listing"};
inline std::span<const char* const> record_families() { return kRecordFamilies; }

}  // namespace docket::care
