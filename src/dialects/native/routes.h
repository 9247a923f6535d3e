#pragma once

// What this door's resources share: the parts they use, and the route tables they export.

#include <memory>
#include <vector>

#include "dialects/native/native.h"
#include "engine/loop.h"
#include "engine/ports.h"
#include "http/door.h"

namespace docket::native {

class RecentEvents;

struct Context {
  engine::Loop& loop;
  engine::Archive& archive;
  NativeSettings settings;
  mutable std::weak_ptr<RecentEvents> recent = {};  // while anyone follows; strand only
};
using ContextPtr = std::shared_ptr<const Context>;  // shared by all handlers of a door
using Routes = std::vector<http::Route>;

using Action = void (*)(const Context&, const http::Request&, http::Reply);

// A route of this door. A JSON body is required (kJson) or optional (kOptional).
http::Route route(const ContextPtr& context, const char* method, const char* pattern, Action action,
                  http::BodyRule body = http::BodyRule::kIgnore);

Routes job_routes(const ContextPtr& context);
Routes schedule_routes(const ContextPtr& context);
Routes ledger_routes(const ContextPtr& context);
Routes run_routes(const ContextPtr& context);
Routes task_routes(const ContextPtr& context);
Routes report_routes(const ContextPtr& context);
Routes event_routes(const ContextPtr& context);
Routes log_routes(const ContextPtr& context);
Routes lock_routes(const ContextPtr& context);
Routes secret_routes(const ContextPtr& context);
Routes explain_routes(const ContextPtr& context);
Routes status_routes(const ContextPtr& context);
Routes maintenance_routes(const ContextPtr& context);

}  // namespace docket::native
