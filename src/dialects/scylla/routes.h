#pragma once

// The handlers, in groups, and what they share.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dialects/scylla/scylla.h"
#include "dialects/scylla/wire.h"

namespace docket::scylla {

// Waiters for one task that are called together share one read of it. Strand only.
using SharedReplies = std::map<TaskId, std::vector<http::Reply>>;

struct Context {
  engine::Loop& loop;
  engine::Archive& archive;
  ScyllaSettings settings;
  std::shared_ptr<SharedReplies> waited = std::make_shared<SharedReplies>();
};
using ContextPtr = std::shared_ptr<const Context>;  // shared by all handlers of the door
using Action = void (*)(const ContextPtr& context, http::Request request, http::Reply reply);

http::Route route(const ContextPtr& context, const char* method, const char* pattern,
                  Action action);

// A task that clients can name: it is live, or its root's listing has not ended.
struct Found {
  engine::TaskRow row;
  std::string parent_uuid;  // empty: none
};
// Reads it on an archive thread, and continues there. Answers 500 for an invalid uuid, and 400 for
// a task that does not exist, is no longer visible, or is forgotten.
using WithTask = std::function<void(engine::Reader& reader, Found found)>;
void with_task(const ContextPtr& context, std::string_view uuid, const http::Reply& reply,
               WithTask go_on);
// The same without checking whether it is forgotten, for a request that has waited for it.
void with_any_task(const ContextPtr& context, TaskId id, const http::Reply& reply, WithTask go_on);

// 500, for errors that this API does not define.
http::Response broken(const Error& error);

// Runs work on the engine; its response is sent when that is durable.
using Work = std::function<http::Response(engine::Engine&, Time)>;
void answer(const ContextPtr& context, const http::Reply& reply, Work work);

std::vector<http::Route> task_routes(const ContextPtr& context);
std::vector<http::Route> ttl_routes(const ContextPtr& context);
std::vector<http::Route> test_routes(const ContextPtr& context);
std::vector<http::Route> maintenance_routes(const ContextPtr& context);

}  // namespace docket::scylla
