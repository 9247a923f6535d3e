#include "kinds/maintenance/spec.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "core/json_reader.h"
#include "core/json_writer.h"

namespace docket::kinds {
namespace {

using Body = model::SpecOf<MaintenanceSpec>;

constexpr std::size_t kFileNameMax = 128;

bool is_file_name(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.";
  return text.size() <= kFileNameMax && text.front() != '.' &&
         text.find_first_not_of(kAllowed) == std::string_view::npos &&
         !text.ends_with(care::kPartial);
}

}  // namespace

void write_spec(JsonWriter& out, const MaintenanceSpec& spec) {
  out.begin_object().member("chore", care::name_of(spec.work.chore));
  if (!spec.work.file.empty()) out.member("file", spec.work.file);
  if (!spec.work.families.empty()) {
    out.key("families").begin_array();
    for (const std::string& family : spec.work.families) out.value(family);
    out.end_array();
  }
  out.end_object();
}

MaintenanceSpec read_maintenance_spec(JsonReader& in) {
  MaintenanceSpec spec;
  std::string chore;
  if (in.read_required("chore", chore)) {
    const auto known = care::chore_of(chore);
    if (!known) in.complain("chore", "is not one that docket knows");
    spec.work.chore = known.value_or(care::Chore::kVerify);
  }
  in.read("file", spec.work.file);
  in.read("families", spec.work.families);
  in.finish();
  return spec;
}

model::Spec spec_of(MaintenanceSpec maintenance) {
  return {.kind = kMaintenance, .body = std::make_shared<const Body>(std::move(maintenance))};
}

const MaintenanceSpec* maintenance_of(const model::Spec& spec) {
  return model::get_if<MaintenanceSpec>(spec);
}

void check(const care::CareWork& work, model::Flaws& flaws) {
  if (!work.file.empty() && !care::makes_file(work.chore)) {
    flaws.add("is for backup and export only", "/file");
  } else if (!work.file.empty() && !is_file_name(work.file)) {
    flaws.add(
        "must be a name of 1 to 128 of A-Z a-z 0-9 _ - . which does not begin with a dot or "
        "end in .partial",
        "/file");
  }
  for (const std::string& family : work.families) {
    if (std::ranges::find(care::record_families(), std::string_view(family)) ==
        care::record_families().end()) {
      flaws.add("has no '" + family + "'", "/families");
    }
  }
}

}  // namespace docket::kinds
