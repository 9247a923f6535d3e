#include "app/front_page.h"

namespace docket::app {
namespace {

constexpr const char* kPage = R"(<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>docket</title></head>
<body>
<h1>docket</h1>
<p>This is a docket server. It has no console yet; these are its doors:</p>
<ul>
<li><code>/docket/v1</code>: everything docket can do, as JSON
(<a href="/docket/v1/status">status</a>, <a href="/docket/v1/openapi.json">description</a>)</li>
<li><code>/service/metronome/v1</code>: DC/OS Jobs (Metronome)
(<a href="/service/metronome/v1/jobs">jobs</a>); also on a port of its own, usually 9000</li>
<li><code>/task_manager</code>: the Scylla Task Manager
(<a href="/task_manager/list_modules">modules</a>, <a href="/api-doc/openapi.json">description</a>);
also on a port of its own, usually 10000</li>
</ul>
<p>On a command line: <code>docket --help</code>.</p>
</body>
</html>
)";

}  // namespace

std::shared_ptr<const http::Door> make_front_page() {
  auto door = std::make_shared<http::Door>();
  door->name = "hub";
  door->wrong_method_is_404 = true;
  door->routes.push_back(
      {.method = "GET",
       .pattern = "/",
       .handler =
           [](const http::Request&, const http::Reply& reply) {
             reply({.status = 200, .content_type = "text/html; charset=utf-8", .body = kPage});
           },
       .is_public = true});
  return door;
}

}  // namespace docket::app
