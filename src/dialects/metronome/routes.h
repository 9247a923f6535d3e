#pragma once

// The handlers, in groups, and what they share.

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <tl/expected.hpp>
#include <vector>

#include "dialects/metronome/access.h"
#include "dialects/metronome/errors.h"
#include "dialects/metronome/metronome.h"

namespace docket::metronome {

struct Context {
  engine::Loop& loop;
  engine::Archive& archive;
  MetronomeSettings settings;
};
using ContextPtr = std::shared_ptr<const Context>;  // shared by the handlers of all routes

// One request being handled.
struct Call {
  http::Request request;
  http::Reply reply;
  Names names;
};

// A handler whose path names a job (first capture), and perhaps a schedule or run (second). Bad job
// ids are answered here, before anything else is checked (section 0, order of checks).
using CallHandler = void (*)(const Context& context, Call call);
enum class Second { kNone, kSchedule, kRun };
http::Handler job_handler(ContextPtr context, CallHandler handler, Second second = Second::kNone);
http::Handler plain_handler(ContextPtr context, CallHandler handler);

// Refuses callers without an identity (section 9), once the rest of the request has been checked
// (section 0, order of checks). True if the call may go on; otherwise it has been answered.
bool admit(const Call& call);

// Runs work on the engine and answers with its response once the change is durable. For admitted
// callers only.
using Work = std::function<Result<http::Response>(engine::Engine&, Time)>;
void answer(const Context& context, Call call, Work work);

// The body as JSON, or the 415 or 400 to answer.
tl::expected<boost::json::value, http::Response> json_body(const http::Request& request);

std::vector<http::Route> job_routes(const ContextPtr& context);
std::vector<http::Route> schedule_routes(const ContextPtr& context);
std::vector<http::Route> run_routes(const ContextPtr& context);
std::vector<http::Route> info_routes(const ContextPtr& context);  // ping, info, leader, metrics
std::vector<http::Route> public_routes();                         // static descriptions
std::vector<http::Route> event_routes(const ContextPtr& context);

}  // namespace docket::metronome
