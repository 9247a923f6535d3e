#include "kinds/rollout/topology.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <map>
#include <tuple>
#include <utility>

#include "model/record_id.h"
#include "model/record_text.h"

namespace docket::kinds {
namespace {

namespace json = boost::json;
using engine::Records;
using model::Record;

constexpr std::size_t kSeedsOfDatacenter = 2;

// The members of a record; reading one that is null or of another type gives nothing.
class Members {
 public:
  explicit Members(const Record& record) : members_(model::members_of(record)) {}
  std::string text(const char* name) const {
    const json::value* value = members_.if_contains(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  }
  std::optional<bool> flag(const char* name) const {
    const json::value* value = members_.if_contains(name);
    if (!value || !value->is_bool()) return std::nullopt;
    return value->get_bool();
  }
  std::optional<std::int64_t> number(const char* name) const {
    const json::value* value = members_.if_contains(name);
    if (!value || !value->is_int64()) return std::nullopt;
    return value->get_int64();
  }
  RecordId reference(const char* name) const {
    return model::record_of_uuid(text(name)).value_or(RecordId{});
  }

 private:
  const json::object members_;
};

// What a level says of those below it, unless they say it themselves.
struct Inherited {
  std::uint16_t port = 22;
  RecordId credential;
  std::vector<RecordId> profiles;

  void add(const Members& level) {
    if (const auto own = level.number("ssh-management-port"))
      port = static_cast<std::uint16_t>(*own);
    if (const RecordId own = level.reference("machine-credential-id")) credential = own;
    if (const RecordId own = level.reference("config-profile-id")) profiles.push_back(own);
  }
};

// Those that say so; where nobody does, the first of those that do not say no.
std::vector<RecordId> seeds_of(const std::vector<const Record*>& nodes) {
  std::vector<RecordId> chosen, unsaid;
  for (const Record* node : nodes) {
    const auto seed = Members(*node).flag("seed");
    if (seed.value_or(false)) chosen.push_back(node->id);
    if (!seed && unsaid.size() < kSeedsOfDatacenter) unsaid.push_back(node->id);
  }
  return chosen.empty() ? unsaid : chosen;
}

RolloutNode node_of(const Record& record, const Record& datacenter, Inherited inherited) {
  const Members members(record);
  inherited.add(members);
  return {.id = record.id,
          .name = record.name,
          .datacenter = datacenter.name,
          .rack = members.text("rack"),
          .datacenter_id = datacenter.id,
          .joins = !members.flag("converged").value_or(false),
          .address = members.text("ssh-management-address"),
          .port = inherited.port,
          .credential = inherited.credential,
          .profiles = std::move(inherited.profiles)};
}

void add_datacenter(const Records& records, const Record& datacenter, Inherited inherited,
                    Rollout& rollout) {
  inherited.add(Members(datacenter));
  const auto nodes = records.below(kNodeFamily, datacenter.id);
  const std::vector<RecordId> seeds = seeds_of(nodes);
  for (const Record* record : nodes) {
    RolloutNode node = node_of(*record, datacenter, inherited);
    node.seed = std::ranges::count(seeds, node.id) > 0;
    rollout.has_converged_nodes = rollout.has_converged_nodes || !node.joins;
    rollout.nodes.push_back(std::move(node));
  }
}

const Record* above(const Records& records, const Record* record, std::string_view family) {
  while (record && record->family != family) record = records.find(record->parent);
  return record;
}

bool in_scope(const RolloutNode& node, const Record& scope) {
  return scope.family == kClusterFamily || node.id == scope.id || node.datacenter_id == scope.id;
}

}  // namespace

Result<Rollout> rollout_of(const Records& records, RecordId of) {
  const Record* scope = records.find(of);
  const Record* cluster = above(records, scope, kClusterFamily);
  if (!cluster) return fail(ErrorKind::kNotFound, "no such cluster, datacenter or node");
  const Members members(*cluster);
  Rollout rollout{.cluster = cluster->id,
                  .cluster_name = cluster->name,
                  .repository = members.reference("repository-id")};
  Inherited inherited;
  inherited.add(members);
  for (const Record* datacenter : records.below(kDatacenterFamily, cluster->id)) {
    add_datacenter(records, *datacenter, inherited, rollout);
  }
  std::erase_if(rollout.nodes, [&](const RolloutNode& node) { return !in_scope(node, *scope); });
  std::ranges::sort(rollout.nodes, {}, [](const RolloutNode& node) {
    return std::tuple(!node.seed, node.datacenter, node.rack, node.name, node.id);
  });
  return rollout;
}

Result<RolloutNode> rollout_node(const Records& records, RecordId id) {
  const Record* node = records.find(id);
  const Record* datacenter = node ? records.find(node->parent) : nullptr;
  const Record* cluster = datacenter ? records.find(datacenter->parent) : nullptr;
  if (!cluster) return fail(ErrorKind::kNotFound, "the node does not exist any more");
  Inherited inherited;
  inherited.add(Members(*cluster));
  inherited.add(Members(*datacenter));
  return node_of(*node, *datacenter, std::move(inherited));
}

std::vector<SequenceNode> sequence_nodes(const Rollout& rollout) {
  std::map<RecordId, std::uint32_t> datacenters;
  std::map<std::pair<RecordId, std::string>, std::uint32_t> racks;
  std::vector<SequenceNode> nodes;
  for (const RolloutNode& node : rollout.nodes) {
    const auto datacenter = datacenters.try_emplace(node.datacenter_id, datacenters.size()).first;
    const auto rack = racks.try_emplace({node.datacenter_id, node.rack}, racks.size()).first;
    nodes.push_back(
        {.place = {datacenter->second, rack->second}, .seed = node.seed, .joins = node.joins});
  }
  return nodes;
}

}  // namespace docket::kinds
