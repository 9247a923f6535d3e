#include "dialects/lcm/object.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "core/json.h"
#include "kinds/rollout/topology.h"
#include "model/record_id.h"
#include "model/record_text.h"

namespace docket::lcm {
namespace {

namespace json = boost::json;

// ---- bodies

// Reads one body into a draft, member by member.
class BodyReader {
 public:
  BodyReader(const Resource& resource, Version version, const engine::Records& records,
             const json::object& body, const model::Record* before)
      : resource_(resource), version_(version), records_(records), body_(body), before_(before) {
    if (before) {
      draft_.record = *before;
      text_ = model::members_of(*before);
    }
    draft_.record.family = resource.family;
  }

  Wire<Draft> read() {
    for (const Member& member : resource_.members) {
      const bool others = member.v2_only && version_ == Version::kV1;
      if (member.type != MemberType::kReadOnly && !others) read(member);
    }
    if (!wrong_.empty()) return tl::unexpected(invalid(std::move(wrong_)));
    if (!dangling_.empty()) {
      Refusal refusal = invalid(std::move(dangling_));
      refusal.type = "InvalidReference";
      return tl::unexpected(std::move(refusal));
    }
    draft_.record.text = json::serialize(text_);
    return std::move(draft_);
  }

 private:
  const json::value* find(const Member& member) const {
    const auto named = body_.find(name_in(version_, member));
    if (named != body_.end()) return &named->value();
    const auto alias = member.alias.empty() ? body_.end() : body_.find(member.alias);
    return alias == body_.end() ? nullptr : &alias->value();
  }
  void complain(const Member& member, std::string message) {
    wrong_.push_back({std::string(name_in(version_, member)), std::move(message)});
  }

  void read(const Member& member) {
    const json::value* value = find(member);
    if (!value && before_) return;  // it stays as it is
    if (value && !value->is_null()) return take(member, *value);
    if (member.required) return complain(member, value ? "must not be null" : "is required");
    if (member.type == MemberType::kSecret) {
      draft_.secrets.emplace_back(member.name, "");
    } else {
      text_[member.name] = *parse_json(member.otherwise);
    }
  }
  void take(const Member& member, const json::value& value) {
    switch (member.type) {
      case MemberType::kText:
      case MemberType::kSecret:
        return take_text(member, value);
      case MemberType::kBool:
        if (!value.is_bool()) return complain(member, "must be true or false");
        break;
      case MemberType::kNumber:
        if (!value.is_int64() || value.get_int64() < 1 || value.get_int64() > kPortMax) {
          return complain(member, fmt::format("must be a whole number from 1 to {}", kPortMax));
        }
        break;
      case MemberType::kObject:
        if (!value.is_object()) return complain(member, "must be an object");
        break;
      case MemberType::kReference:
      case MemberType::kParent:
        return take_reference(member, value);
      case MemberType::kReadOnly:
        return;
    }
    text_[member.name] = value;
  }
  void take_text(const Member& member, const json::value& value) {
    if (!value.is_string()) return complain(member, "must be a string");
    const std::string text(value.get_string());
    if (member.required && text.empty()) return complain(member, "must not be empty");
    if (!member.of.empty() && !is_one_of(text, member.of)) {
      return complain(member, fmt::format("must be one of: {}", member.of));
    }
    if (member.type == MemberType::kSecret) {
      draft_.secrets.emplace_back(member.name, text);
    } else if (member.name == "name") {
      draft_.record.name = text;
    } else {
      text_[member.name] = value;
    }
  }
  void take_reference(const Member& member, const json::value& value) {
    if (!value.is_string()) return complain(member, "must be a string");
    const std::string_view id = value.get_string();
    const model::Record* target = lcm::find(records_, member.of, id);
    if (!target) {
      dangling_.push_back(
          {std::string(name_in(version_, member)), fmt::format("'{}' is no {}", id, member.of)});
      return;
    }
    if (member.type == MemberType::kReference) {
      text_[member.name] = value;
    } else if (before_ && before_->parent != target->id) {
      complain(member, "cannot be changed");
    } else {
      draft_.record.parent = target->id;
    }
  }
  static bool is_one_of(std::string_view text, std::string_view words) {
    const std::string padded = fmt::format(" {} ", words);
    return !text.empty() && text.find(' ') == std::string_view::npos &&
           padded.find(fmt::format(" {} ", text)) != std::string::npos;
  }

  static constexpr std::int64_t kPortMax = 65535;
  const Resource& resource_;
  const Version version_;
  const engine::Records& records_;
  const json::object& body_;
  const model::Record* before_;
  Draft draft_;
  json::object text_;
  std::vector<Complaint> wrong_, dangling_;
};

// ---- objects

// Lists below an object, in its `related-resources`.
std::vector<const char*> lists_below(std::string_view family) {
  if (family == kinds::kClusterFamily) return {"datacenters", "nodes", "jobs"};
  if (family == kinds::kDatacenterFamily) return {"nodes"};
  if (family == kinds::kRepositoryFamily) return {"clusters"};
  if (family == kinds::kNodeFamily) return {};
  return {"clusters", "datacenters", "nodes"};
}

class ObjectWriter {
 public:
  ObjectWriter(JsonWriter& json, const Resource& resource, const Base& base,
               const engine::Records& records, const model::Record& record)
      : json_(json),
        resource_(resource),
        base_(base),
        records_(records),
        record_(record),
        text_(model::members_of(record)),
        href_(fmt::format("{}{}/{}", base.lcm(), resource.collection, model::uuid_of(record.id))) {}

  void write() {
    json_.begin_object().member("id", model::uuid_of(record_.id)).member("type", resource_.family);
    json_.member("href", href_);
    for (const Member& member : resource_.members) write(member);
    if (record_.family == kinds::kClusterFamily) write_cluster();
    write_related();
    json_.member("created-on", instant(record_.created_at));
    json_.member("created-by", name_of(record_.created_by));
    json_.member("modified-on", instant(record_.modified_at));
    json_.member("modified-by", name_of(record_.modified_by)).end_object();
  }

 private:
  static std::string_view name_of(std::string_view user) { return user.empty() ? "system" : user; }

  void write(const Member& member) {
    if (member.type == MemberType::kSecret) return;
    const std::string_view name = name_in(base_.version, member);
    if (member.name == "name") {
      json_.member(name, record_.name);
    } else if (member.type == MemberType::kParent) {
      json_.member(name, model::uuid_of(record_.parent));
    } else {
      write_value(name, member);
      if (!member.alias.empty()) write_value(member.alias, member);
    }
  }
  void write_value(std::string_view name, const Member& member) {
    json_.key(name);
    const auto found = text_.find(member.name);
    found == text_.end() ? json_.raw(member.otherwise) : json_.json(found->value());
  }
  void write_cluster() {
    json_.key("datacenter").begin_array();
    for (const model::Record* each : records_.below(kinds::kDatacenterFamily, record_.id)) {
      write_object(json_, resource(kinds::kDatacenterFamily), base_, records_, *each);
    }
    json_.end_array();
    if (base_.version != Version::kV1) return;
    const bool changed =
        std::ranges::count(record_.sealed, "new-password", &StringPairs::value_type::first) > 0;
    json_.member("has-default-password", !changed);
  }
  void write_related() {
    json_.key("related-resources").begin_object();
    for (const Member& member : resource_.members) {
      const bool is_parent = member.type == MemberType::kParent;
      if (!is_parent && member.type != MemberType::kReference) continue;
      const auto found = text_.find(member.name);
      const bool set = is_parent || (found != text_.end() && found->value().is_string());
      if (!set) continue;
      const std::string id =
          is_parent ? model::uuid_of(record_.parent) : std::string(found->value().get_string());
      json_.member(member.name.substr(0, member.name.size() - std::string_view("-id").size()),
                   fmt::format("{}{}/{}", base_.lcm(), resource(member.of).collection, id));
    }
    for (const char* list : lists_below(resource_.family)) {
      json_.member(list, fmt::format("{}/{}/", href_, list));
    }
    json_.end_object();
  }

  JsonWriter& json_;
  const Resource& resource_;
  const Base& base_;
  const engine::Records& records_;
  const model::Record& record_;
  const json::object text_;
  const std::string href_;
};

}  // namespace

const model::Record* find(const engine::Records& records, std::string_view family,
                          std::string_view uuid) {
  const auto id = model::record_of_uuid(uuid);
  const model::Record* record = id ? records.find(*id) : nullptr;
  return record && record->family == family ? record : nullptr;
}

Wire<Draft> read_body(const Resource& resource, Version version, const engine::Records& records,
                      std::string_view body, const model::Record* before) {
  const auto value = parse_json(body);
  if (!value) return tl::unexpected(Refusal{.message = value.error().message});
  if (!value->is_object()) return tl::unexpected(Refusal{.message = "the body must be an object"});
  return BodyReader(resource, version, records, value->get_object(), before).read();
}

void write_object(JsonWriter& json, const Resource& resource, const Base& base,
                  const engine::Records& records, const model::Record& record) {
  ObjectWriter(json, resource, base, records, record).write();
}

}  // namespace docket::lcm
