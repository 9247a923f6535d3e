#pragma once

// The doors that the commands use, with refusals worded as in `dcos job` (metronome.md sections 2,
// 9 and 11): "409 - requirement failed: ..." with the complaints of a 422 in Error::fields.

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "cli/client/http_client.h"
#include "cli/client/settings.h"
#include "core/percent.h"
#include "core/result.h"

namespace docket::cli {

enum class Door { kMetronome, kNative, kTasks };

struct Call {
  Door door = Door::kMetronome;
  std::string_view method = "GET";
  std::string path = {};  // below the door, with its query: /v1/jobs?embed=history
  const boost::json::value* body = nullptr;  // borrowed for the call
};

class ServerApi {
 public:
  ServerApi(HttpClient& http, Settings settings) : http_(http), settings_(std::move(settings)) {}

  // The answer's JSON; null for an empty body. A refusal has the kind of its status: 404 kNotFound
  // (only if the object is missing, not the route), 409 kConflict, 401 and 403 kDenied, other 4xx
  // kInvalid.
  Result<boost::json::value> call(const Call& call);
  // The answer as received, whatever its status; without a time limit if `patient`.
  Result<HttpResponse> ask(const Call& call, bool patient = false);
  // Like call(), for answers that are text or have no end.
  Result<std::string> text(const Call& call);
  Result<void> stream(const Call& call, BodySink sink);

  Result<boost::json::value> metronome(std::string path) { return call({.path = std::move(path)}); }
  Result<boost::json::value> native(std::string path) {
    return call({.door = Door::kNative, .path = std::move(path)});
  }

  const Settings& settings() const { return settings_; }
  const std::string& url() const { return settings_.url; }
  std::string url_of(const Call& call) const;

 private:
  Result<HttpResponse> exchange(const Call& call, BodySink sink);
  Result<HttpResponse> send(const Call& call, const BodySink& sink);

  HttpClient& http_;
  Settings settings_;
  // A bare Metronome has its routes at `/` only; learned from its first refusal.
  std::string metronome_prefix_ = "/service/metronome";
};

}  // namespace docket::cli
