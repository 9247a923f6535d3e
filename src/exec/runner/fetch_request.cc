#include "exec/runner/fetch_request.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_to.hpp>

#include "core/json.h"
#include "core/json_writer.h"

namespace docket::runner {
namespace {

namespace json = boost::json;

// Both ends are this program, so a member that is missing or wrong is a bug and reads as 0 or
// empty.
std::uint64_t number(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  json::error_code wrong;
  const auto number = found == nullptr ? 0 : found->to_number<std::uint64_t>(wrong);
  return wrong ? 0 : number;
}

bool flag(const json::object& object, std::string_view key) {
  const json::value* found = object.if_contains(key);
  return found != nullptr && found->is_bool() && found->get_bool();
}

Artifact read_artifact(const json::object& object) {
  Artifact artifact;
  if (const json::value* uri = object.if_contains("uri"); uri != nullptr && uri->is_string()) {
    artifact.uri = uri->get_string();
  }
  artifact.extract = flag(object, "extract");
  artifact.executable = flag(object, "executable");
  artifact.cache = flag(object, "cache");
  return artifact;
}

FetchLimits read_limits(const json::object& object) {
  FetchLimits limits;
  limits.download_bytes = number(object, "downloadBytes");
  limits.extracted_bytes = number(object, "extractedBytes");
  limits.extracted_entries = number(object, "extractedEntries");
  limits.cache_bytes = number(object, "cacheBytes");
  limits.seconds = number(object, "seconds");
  limits.stalled_seconds = number(object, "stalledSeconds");
  return limits;
}

}  // namespace

std::string encode_request(const FetchRequest& request) {
  std::string out;
  JsonWriter writer(out);
  writer.begin_object();
  writer.member("downloadBytes", request.limits.download_bytes)
      .member("extractedBytes", request.limits.extracted_bytes)
      .member("extractedEntries", request.limits.extracted_entries)
      .member("cacheBytes", request.limits.cache_bytes)
      .member("seconds", request.limits.seconds)
      .member("stalledSeconds", request.limits.stalled_seconds)
      .member("hasCache", request.has_cache);
  writer.key("artifacts").begin_array();
  for (const Artifact& artifact : request.artifacts) {
    writer.begin_object()
        .member("uri", artifact.uri)
        .member("extract", artifact.extract)
        .member("executable", artifact.executable)
        .member("cache", artifact.cache)
        .end_object();
  }
  writer.end_array().end_object();
  return out;
}

Result<FetchRequest> decode_request(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed) return fail(std::move(parsed.error()));
  const json::object* object = parsed->if_object();
  const json::value* artifacts = object == nullptr ? nullptr : object->if_contains("artifacts");
  if (artifacts == nullptr || !artifacts->is_array()) {
    return fail(ErrorKind::kInvalid, "not a fetch request");
  }
  FetchRequest request;
  request.limits = read_limits(*object);
  request.has_cache = flag(*object, "hasCache");
  for (const json::value& item : artifacts->get_array()) {
    if (const json::object* artifact = item.if_object()) {
      request.artifacts.push_back(read_artifact(*artifact));
    }
  }
  return request;
}

}  // namespace docket::runner
