// exec/runner/fetch_request: what the runner hands to the process that gets artifacts.

#include "exec/runner/archive_extract.h"
#include "exec/runner/artifact_download.h"
#include "exec/runner/fetch_request.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

void check_uri(const std::string& uri) {
  const auto name = runner::artifact_name(uri);
  if (name) {
    require(!name->empty() && *name != "." && *name != "..", "an artifact has a name", *name);
    require(name->find('/') == std::string::npos && name->find('\0') == std::string::npos,
            "the name is one of a file in the working directory", *name);
    static_cast<void>(runner::is_archive_name(*name));
  }
  if (const auto path = runner::local_path(uri)) {
    require(path->starts_with('/'), "a local path is absolute", *path);
  }
  require(runner::shown_uri(uri).size() <= uri.size(), "a shown URI only leaves out", uri);
}

void run(std::string_view input) {
  check_uri(std::string(input));
  const auto request = runner::decode_request(input);
  if (!request) {
    require(request.error().kind == ErrorKind::kInvalid, "what is no request is kInvalid");
    return;
  }
  for (const runner::Artifact& artifact : request->artifacts) check_uri(artifact.uri);
  const std::string text = runner::encode_request(*request);
  const auto again = runner::decode_request(text);
  require(again.has_value(), "what was encoded is a request", text);
  require(again->artifacts == request->artifacts, "the same artifacts", text);
  require(runner::encode_request(*again) == text, "encoded again is the same", text);
}

const Target kTarget("fetch_request", run);

}  // namespace
}  // namespace docket::fuzz
