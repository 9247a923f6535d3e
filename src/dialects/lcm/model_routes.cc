// Lists, objects, and what changes them, for every resource of the table.

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "core/json.h"
#include "dialects/lcm/object.h"
#include "dialects/lcm/routes.h"
#include "http/access.h"
#include "kinds/rollout/topology.h"
#include "model/record_id.h"
#include "model/record_text.h"

namespace docket::lcm {
namespace {

using engine::Engine;
using engine::Records;
using model::Record;
using Found = std::vector<const Record*>;

// One kind of request: the version and the resource that its path names.
struct Place {
  engine::Loop& loop;
  Version version = Version::kV2;
  const Resource& resource;
};
using Answer = Wire<http::Response>;
using Work = Answer (*)(const Place& place, const http::Request& request, Engine& engine, Time now);

http::Route route(const Place& place, const char* method, const std::string& pattern, Work work) {
  const char* base = place.version == Version::kV1 ? "/api/v1/lcm/" : "/api/v2/lcm/";
  const auto handle = [place, work](http::Request request, const http::Reply& reply) {
    place.loop.call<http::Response>(
        [place, work, request = std::move(request)](Engine& engine,
                                                    Time now) -> Result<http::Response> {
          Answer answer = work(place, request, engine, now);
          return answer ? *std::move(answer) : error_response(place.version, answer.error());
        },
        [reply, version = place.version](Result<http::Response> answer) {
          if (answer) return reply(*std::move(answer));
          reply(error_response(version, {503, "Unavailable", answer.error().message}));
        });
  };
  return {.method = method,
          .pattern = base + pattern,
          .handler = handle,
          .body = http::BodyRule::kAny};  // clients send JSON under any name
}

// Empty while everyone is served alike.
std::string user_of(const http::Request& request) {
  return request.identity && request.identity != http::anyone() ? request.identity->name() : "";
}

Refusal refusal_of(const Resource& resource, const Record& record, const Error& error) {
  if (error.kind == ErrorKind::kConflict) {
    return {409, "UniqueConstraintViolation",
            fmt::format("A {} with name '{}' already exists", resource.family, record.name)};
  }
  return {503, "Unavailable", error.message};
}

Wire<const Record*> named(const Place& place, const http::Request& request, const Engine& engine) {
  const Record* record = find(engine.records(), place.resource.family, request.params[0]);
  if (record) return record;
  return tl::unexpected(not_found(place.resource.family, request.params[0]));
}

http::Response show(const Place& place, const http::Request& request, const Engine& engine,
                    const Record& record, int status = 200) {
  std::string body;
  JsonWriter json(body);
  write_object(json, place.resource, base_of(request, place.version), engine.records(), record);
  return json_response(std::move(body), status);
}

// ---- lists

Answer list(const Place& place, const http::Request& request, const Engine& engine,
            const Resource& of, const std::string& path, const Found& found) {
  const auto query = read_page(request);
  if (!query) return tl::unexpected(query.error());
  const Base base = base_of(request, place.version);
  return json_response(
      page(request, base, path, *query, found.size(), [&](JsonWriter& json, std::size_t i) {
        write_object(json, of, base, engine.records(), *found[i]);
      }));
}

Answer list_all(const Place& place, const http::Request& request, Engine& engine, Time) {
  return list(place, request, engine, place.resource, fmt::format("{}/", place.resource.collection),
              engine.records().all(place.resource.family));
}

Found below(const Records& records, const Record& above, std::string_view family) {
  Found found = records.below(family, above.id);
  if (above.family != kinds::kClusterFamily || family != kinds::kNodeFamily) return found;
  for (const Record* datacenter : records.below(kinds::kDatacenterFamily, above.id)) {
    const Found nodes = records.below(kinds::kNodeFamily, datacenter->id);
    found.insert(found.end(), nodes.begin(), nodes.end());
  }
  std::ranges::sort(found, {}, &Record::id);
  return found;
}

// Those that refer to it.
Found users_of(const Records& records, const Record& record, std::string_view family) {
  const Member* reference = reference_to(resource(family), record.family);
  Found found;
  for (const Record* each : reference ? records.all(family) : Found{}) {
    const boost::json::object members = model::members_of(*each);
    const auto* id = members.if_contains(reference->name);
    if (id && id->is_string() && id->get_string() == model::uuid_of(record.id))
      found.push_back(each);
  }
  return found;
}

template <auto& kOf>
Answer list_below(const Place& place, const http::Request& request, Engine& engine, Time) {
  const auto above = named(place, request, engine);
  if (!above) return tl::unexpected(above.error());
  const Resource& of = resource(kOf);
  const bool holds = place.resource.family == kinds::kClusterFamily ||
                     place.resource.family == kinds::kDatacenterFamily;
  const Found found = holds ? below(engine.records(), **above, of.family)
                            : users_of(engine.records(), **above, of.family);
  return list(place, request, engine, of,
              fmt::format("{}/{}/{}/", place.resource.collection, request.params[0], of.collection),
              found);
}

// ---- objects

Answer get(const Place& place, const http::Request& request, Engine& engine, Time) {
  const auto record = named(place, request, engine);
  if (!record) return tl::unexpected(record.error());
  return show(place, request, engine, **record);
}

Answer create(const Place& place, const http::Request& request, Engine& engine, Time now) {
  auto draft = read_body(place.resource, place.version, engine.records(), request.body, nullptr);
  if (!draft) return tl::unexpected(std::move(draft.error()));
  draft->record.created_by = user_of(request);
  const auto made = engine.create_record(draft->record, draft->secrets, now);
  if (!made) return tl::unexpected(refusal_of(place.resource, draft->record, made.error()));
  return show(place, request, engine, **made, 201);
}

Answer change(const Place& place, const http::Request& request, Engine& engine, Time now) {
  const auto before = named(place, request, engine);
  if (!before) return tl::unexpected(before.error());
  auto draft = read_body(place.resource, place.version, engine.records(), request.body, *before);
  if (!draft) return tl::unexpected(std::move(draft.error()));
  draft->record.modified_by = user_of(request);
  const auto changed = engine.update_record((*before)->id, draft->record, draft->secrets, now);
  if (!changed) return tl::unexpected(refusal_of(place.resource, draft->record, changed.error()));
  return show(place, request, engine, **changed);
}

Answer remove(const Place& place, const http::Request& request, Engine& engine, Time) {
  const auto record = named(place, request, engine);
  if (!record) return tl::unexpected(record.error());
  for (const Resource& each : resources()) {
    const Found users = users_of(engine.records(), **record, each.family);
    if (users.empty()) continue;
    return tl::unexpected(Refusal{409, "InUse",
                                  fmt::format("{} '{}' is used by {} '{}'", place.resource.family,
                                              (*record)->name, each.family, users[0]->name)});
  }
  static_cast<void>(engine.delete_record((*record)->id));
  return http::Response{.status = 204};
}

// Another profile with the same content, maybe for another version.
Answer clone(const Place& place, const http::Request& request, Engine& engine, Time now) {
  const auto source = named(place, request, engine);
  if (!source) return tl::unexpected(source.error());
  const auto body = parse_json(request.body);
  if (!body || !body->is_object()) {
    return tl::unexpected(Refusal{.message = "the body must be an object"});
  }
  boost::json::object all = model::members_of(**source);
  for (const auto& member : body->get_object()) all[member.key()] = member.value();
  http::Request copy = request;
  copy.body = boost::json::serialize(all);
  return create(place, copy, engine, now);
}

void add_lists_below(const Place& place, std::vector<http::Route>& routes) {
  const std::string item = fmt::format("{}/{{id}}/", place.resource.collection);
  const std::string_view family = place.resource.family;
  if (family == kinds::kNodeFamily) return;
  if (family != kinds::kClusterFamily && family != kinds::kDatacenterFamily) {
    routes.push_back(route(place, "GET", item + "clusters", list_below<kinds::kClusterFamily>));
  }
  if (family == kinds::kRepositoryFamily) return;
  if (family != kinds::kDatacenterFamily) {
    routes.push_back(
        route(place, "GET", item + "datacenters", list_below<kinds::kDatacenterFamily>));
  }
  routes.push_back(route(place, "GET", item + "nodes", list_below<kinds::kNodeFamily>));
}

}  // namespace

std::vector<http::Route> model_routes(engine::Loop& loop) {
  std::vector<http::Route> routes;
  for (const Version version : {Version::kV1, Version::kV2}) {
    for (const Resource& each : resources()) {
      const Place place{loop, version, each};
      const std::string all(each.collection);
      const std::string one = all + "/{id}";
      routes.push_back(route(place, "GET", all, list_all));
      routes.push_back(route(place, "POST", all, create));
      routes.push_back(route(place, "GET", one, get));
      routes.push_back(route(place, "PUT", one, change));
      routes.push_back(route(place, "POST", one, change));  // a script in the wild
      routes.push_back(route(place, "DELETE", one, remove));
      add_lists_below(place, routes);
      if (each.family == kinds::kProfileFamily) {
        routes.push_back(route(place, "POST", one + "/clone", clone));
      }
    }
  }
  return routes;
}

}  // namespace docket::lcm
