#pragma once

// For tests: a server's native API with canned answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/fake_server.h"

namespace docket::cli {

inline constexpr const char* kRun =
    R"({"items":[{"id":"7","name":"20190307204634kC8Rs","job":"a","state":"running"}],"next":null})";
inline constexpr const char* kNone = R"({"items":[],"next":null})";
inline constexpr const char* kNotFound =
    R"({"type":"urn:docket:problem:not-found","title":"Not Found","status":404,"detail":"job 'x' does not exist"})";
inline constexpr const char* kActive = "&state=created,queued,running,paused";

class NativeCommands : public testing::Test {
 protected:
  Outcome docket(std::vector<std::string> words, std::string input = {}) {
    return run(server_, {.words = std::move(words), .input = std::move(input)});
  }
  void answer(const std::string& request, int status, const std::string& body) {
    const std::size_t blank = request.find(' ');
    server_.answer(request.substr(0, blank + 1) + "/docket/v1" + request.substr(blank + 1), status,
                   body);
  }
  FakeServer server_;
};

}  // namespace docket::cli
