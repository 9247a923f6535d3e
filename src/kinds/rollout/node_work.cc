#include "kinds/rollout/node_work.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "engine/records.h"
#include "kinds/rollout/topology.h"
#include "model/record_text.h"

namespace docket::kinds {
namespace {

namespace json = boost::json;
using model::Record;

std::string text_of(const json::object& members, const char* name, const char* otherwise = "") {
  const json::value* value = members.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : otherwise;
}

// Objects are merged member by member; of anything else the later one counts.
void merge(json::object& into, const json::object& over) {
  for (const auto& member : over) {
    json::value* known = into.if_contains(member.key());
    if (known && known->is_object() && member.value().is_object()) {
      merge(known->get_object(), member.value().get_object());
    } else {
      into[member.key()] = member.value();
    }
  }
}

Result<> add_credential(ssh::NodeWork& work, const Record& credential,
                        const engine::SecretSource& secrets) {
  const json::object members = model::members_of(credential);
  work.login_user = text_of(members, "login-user", "root");
  work.become_mode = text_of(members, "become-mode", "direct");
  work.become_user = text_of(members, "become-user", "root");
  for (const auto& [member, sealed] : credential.sealed) {
    auto plain = secrets.unseal(credential, member);
    if (!plain) return fail(std::move(plain.error()));
    work.secrets.emplace_back(member, *std::move(plain));
  }
  return {};
}

void add_profiles(ssh::NodeWork& work, const engine::Records& records,
                  const std::vector<RecordId>& profiles) {
  json::object settings;
  for (const RecordId id : profiles) {
    const Record* profile = records.find(id);
    if (!profile) continue;
    const json::object members = model::members_of(*profile);
    work.product = text_of(members, "datastax-version");
    const json::value* files = members.if_contains("json");
    if (files && files->is_object()) merge(settings, files->get_object());
  }
  work.settings = json::serialize(settings);
}

}  // namespace

Result<ssh::NodeWork> node_work(const RolloutSpec& spec, const engine::Records& records,
                                RecordId id, const engine::SecretSource& secrets) {
  const auto node = rollout_node(records, id);
  if (!node) return fail(node.error());
  const Record* credential = records.find(node->credential);
  if (!credential) {
    return fail(ErrorKind::kNotFound,
                fmt::format("node '{}' has no machine credential", node->name));
  }
  ssh::NodeWork work{.host = node->address,
                     .port = node->port,
                     .job_type = kRolloutTypes[static_cast<std::size_t>(spec.type)],
                     .dry_run = spec.dry_run};
  if (auto added = add_credential(work, *credential, secrets); !added) {
    return fail(std::move(added.error()));
  }
  add_profiles(work, records, node->profiles);
  return work;
}

}  // namespace docket::kinds
