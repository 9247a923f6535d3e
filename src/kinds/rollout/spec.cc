#include "kinds/rollout/spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "core/json_reader.h"
#include "core/json_writer.h"
#include "model/record_id.h"

namespace docket::kinds {
namespace {

using Body = model::SpecOf<RolloutSpec>;
namespace json = boost::json;

constexpr const char* kAmountRule =
    "must be a whole number of nodes from 1, or a share like \"20%\"";
constexpr double kNodesMax = 1e6;
constexpr double kWhole = 100;

// ---- amounts

std::optional<NodeAmount> share_of(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size() - 1;
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || at != end || !(value > 0) || value > kWhole) return std::nullopt;
  return NodeAmount{value, true};
}

std::optional<NodeAmount> amount_of(const json::value& value) {
  if (value.is_string()) return share_of(value.get_string());
  if (!value.is_int64() || value.get_int64() < 1) return std::nullopt;
  const auto count = static_cast<double>(value.get_int64());
  return count > kNodesMax ? std::nullopt : std::optional(NodeAmount{count});
}

void read_amounts(JsonReader& in, const char* name, std::vector<NodeAmount>& into) {
  const json::value* list = in.find(name);
  if (!list) return;
  if (!list->is_array()) return in.complain(name, JsonFlaw::kNotArray);
  for (const json::value& each : list->get_array()) {
    const auto amount = amount_of(each);
    if (!amount) return in.complain(name, kAmountRule);
    into.push_back(*amount);
  }
  if (into.size() > kAmountsMax) in.complain(name, fmt::format("must be at most {}", kAmountsMax));
}

void read_amount(JsonReader& in, const char* name, std::optional<NodeAmount>& into) {
  const json::value* value = in.find(name);
  if (!value) return;
  into = amount_of(*value);
  if (!into) in.complain(name, kAmountRule);
}

void write_amount(JsonWriter& out, const NodeAmount& amount) {
  if (amount.percent) {
    out.value(fmt::format("{}%", amount.value));
  } else {
    out.value(static_cast<std::int64_t>(amount.value));
  }
}

void write_amounts(JsonWriter& out, const char* name, const std::vector<NodeAmount>& amounts) {
  if (amounts.empty()) return;
  out.key(name).begin_array();
  for (const NodeAmount& each : amounts) write_amount(out, each);
  out.end_array();
}

RecordId read_record(JsonReader& in, const char* name) {
  std::string text;
  if (!in.read_required(name, text)) return {};
  const auto id = model::record_of_uuid(text);
  if (!id) in.complain(name, "must be the id of a record");
  return id.value_or(RecordId{});
}

std::vector<std::size_t> sizes(const std::vector<NodeAmount>& amounts, std::size_t all) {
  std::vector<std::size_t> sizes;
  for (const NodeAmount& each : amounts) sizes.push_back(each.of(all));
  return sizes;
}

}  // namespace

std::size_t NodeAmount::of(std::size_t all) const {
  if (!percent) return static_cast<std::size_t>(value);
  const double share = std::ceil(static_cast<double>(all) * value / kWhole);
  return std::max<std::size_t>(1, static_cast<std::size_t>(share));
}

// ---- the spec

void write_spec(JsonWriter& out, const RolloutSpec& spec) {
  out.begin_object().member("jobType", kRolloutTypes[static_cast<std::size_t>(spec.type)]);
  out.member("resource", model::uuid_of(spec.resource));
  out.member("cluster", model::uuid_of(spec.cluster));
  out.member("strategy", kStrategies[static_cast<std::size_t>(spec.strategy)]);
  if (spec.batch_size) out.member("batchSize", *spec.batch_size);
  if (spec.continue_on_error) out.member("continueOnError", true);
  if (spec.auto_bootstrap) out.member("autoBootstrap", *spec.auto_bootstrap);
  if (spec.dry_run) out.member("dryRun", true);
  write_amounts(out, "canary", spec.canary);
  write_amounts(out, "hold", spec.hold);
  if (spec.max_failures) write_amount(out.key("maxFailures"), *spec.max_failures);
  if (spec.resume) out.member("resume", true);
  out.end_object();
}

RolloutSpec read_rollout_spec(JsonReader& in) {
  RolloutSpec spec;
  in.require("jobType");
  spec.type = static_cast<RolloutType>(in.choice("jobType", kRolloutTypes));
  spec.resource = read_record(in, "resource");
  spec.cluster = read_record(in, "cluster");
  spec.strategy = static_cast<engine::Strategy>(in.choice("strategy", kStrategies));
  if (std::int64_t size = 0; in.read("batchSize", size, 1, static_cast<std::int64_t>(kNodesMax))) {
    spec.batch_size = size;
  }
  in.read("continueOnError", spec.continue_on_error);
  in.read("autoBootstrap", spec.auto_bootstrap);
  in.read("dryRun", spec.dry_run);
  read_amounts(in, "canary", spec.canary);
  read_amounts(in, "hold", spec.hold);
  read_amount(in, "maxFailures", spec.max_failures);
  in.read("resume", spec.resume);
  in.finish();
  return spec;
}

model::Spec spec_of(RolloutSpec rollout) {
  rollout.locks = {{.name = fmt::format("rollout.cluster {}", model::uuid_of(rollout.cluster))}};
  return {.kind = kRollout, .body = std::make_shared<const Body>(std::move(rollout))};
}

const RolloutSpec* rollout_spec_of(const model::Spec& spec) {
  return model::get_if<RolloutSpec>(spec);
}

// ---- rules

SequenceRules rules_of(const RolloutSpec& spec, const std::vector<SequenceNode>& nodes,
                       bool has_converged_nodes) {
  const bool installs = spec.type == RolloutType::kInstall;
  SequenceRules rules{
      .strategy = spec.strategy,
      .seeds_first = installs && !has_converged_nodes,
      .joins_one_at_a_time = installs && has_converged_nodes && spec.auto_bootstrap.value_or(true),
      .canary = sizes(spec.canary, nodes.size()),
      .holds = sizes(spec.hold, nodes.size())};
  if (spec.batch_size) rules.batch = static_cast<std::size_t>(*spec.batch_size);
  if (spec.continue_on_error) rules.failures_allowed = SequenceRules::kContinueOnError;
  if (spec.max_failures) {
    const double all = static_cast<double>(nodes.size());
    const NodeAmount& most = *spec.max_failures;
    rules.failures_allowed =
        most.percent ? static_cast<std::size_t>(all * most.value / kWhole) : most.of(nodes.size());
  }
  std::ranges::sort(rules.holds);
  return rules;
}

}  // namespace docket::kinds
