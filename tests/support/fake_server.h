#pragma once

// For tests: a server with canned answers that remembers what it was asked, and a way to run whole
// command lines against it.

#include <deque>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/client/command_tree.h"
#include "cli/client/http_client.h"

namespace docket::cli {

class FakeServer final : public HttpClient {
 public:
  // Requests are named by method and URL after http://test: "GET /service/metronome/v1/jobs". The
  // last answer to a request stays.
  void answer(const std::string& request, int status, std::string body,
              std::string type = "application/json") {
    answers_[request].push_back({status, std::move(type), std::move(body)});
  }

  Result<HttpResponse> send(const HttpRequest& request) override {
    constexpr std::string_view kBase = "http://test";
    const bool ours = request.url.starts_with(kBase);
    const std::string name =
        request.method + " " + (ours ? request.url.substr(kBase.size()) : request.url);
    requests.push_back(name);
    bodies.push_back(request.body);
    last = request;
    auto& queue = answers_[name];
    if (queue.empty()) return fail(ErrorKind::kUnavailable, "no answer prepared for " + name);
    HttpResponse response = queue.front();
    if (queue.size() > 1) queue.pop_front();
    if (request.stream && response.status / 100 == 2)
      request.stream(std::exchange(response.body, {}));
    return response;
  }

  std::vector<std::string> requests;
  std::vector<std::string> bodies;
  HttpRequest last;

 private:
  std::map<std::string, std::deque<HttpResponse>> answers_;
};

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

struct CommandLine {
  std::vector<std::string> words;  // without "docket"
  std::string input = {};
  std::string url = "http://test";
  std::string token = {};
  std::string home = {};
};

inline void add_serve(CommandTree& tree) {
  tree.local(tree.root(), "serve", "Run the server",
             [](const CliEnvironment&) -> Result<void> { return {}; })
      .group("Server");
}

inline Outcome run(HttpClient& http, const CommandLine& line) {
  std::istringstream in(line.input);
  std::ostringstream out;
  std::ostringstream err;
  std::vector<const char*> argv{"docket"};
  for (const std::string& word : line.words) argv.push_back(word.c_str());
  const int code = run_cli(static_cast<int>(argv.size()), argv.data(),
                           {.in = in,
                            .out = out,
                            .err = err,
                            .url = line.url,
                            .token = line.token,
                            .home = line.home,
                            .timezone = "Europe/Rome",
                            .version = "docket 1.2.3",
                            .http = &http,
                            .server_commands = add_serve});
  return {code, out.str(), err.str()};
}

}  // namespace docket::cli
