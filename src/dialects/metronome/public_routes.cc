// Static descriptions under /public, at the paths of the original. The schemas are generated from
// the tables that validate.

#include <string>
#include <string_view>
#include <utility>

#include "dialects/metronome/job_schema.h"
#include "dialects/metronome/public_api.h"
#include "dialects/metronome/routes.h"

namespace docket::metronome {
namespace {

struct Page {
  std::string path;  // below /public/
  std::string content_type;
  std::string body;
};

std::vector<Page> pages() {
  const std::string v0 = to_json_schema(job_schema(ApiVersion::kV0), "Job, v0");
  const std::string v1 = to_json_schema(job_schema(ApiVersion::kV1), "Job");
  const std::string schedule = to_json_schema(schedule_schema(), "Schedule");
  return {
      {"api/api.raml", "application/raml+yaml", std::string(kPublicApi)},
      {"api/v0/schema/jobspec.schema.json", "application/json", v0},
      {"api/v1/schema/jobspec.schema.json", "application/json", v1},
      {"api/v1/schema/schedulespec.schema.json", "application/json", schedule},
  };
}

}  // namespace

std::vector<http::Route> public_routes() {
  auto show = [pages = pages()](const http::Request& request, const http::Reply& reply) {
    for (const Page& page : pages) {
      if (request.path != "/public/" + page.path) continue;
      return reply({.status = 200, .content_type = page.content_type, .body = page.body});
    }
    reply(framework_error(404, "Unknown route.", request.path));
  };
  return {{.method = "GET",
           .pattern = "/public/{rest...}",
           .handler = std::move(show),
           .is_public = true}};
}

}  // namespace docket::metronome
