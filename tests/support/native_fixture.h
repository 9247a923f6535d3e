#pragma once

// For tests: the door in front of a whole server with fakes at its ports (tests/support). Every
// answer is also checked against the OpenAPI document: its status and its body must be described
// there for the route that gave it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "core/json.h"
#include "core/json_writer.h"
#include "dialects/native/native.h"
#include "dialects/native/openapi.h"
#include "support/api_document.h"
#include "support/harness.h"

namespace docket::native {

using Json = boost::json::value;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline const testing::ApiDocument& openapi() {
  static const testing::ApiDocument kDocument(openapi_document());
  return kDocument;
}

// Text, without quotes; other values as JSON.
inline std::string text(const Json& value) {
  return value.is_string() ? std::string(value.as_string()) : to_json(value);
}

struct Answer {
  http::Response response;
  Json body;  // null when it is not JSON

  int status() const { return response.status; }
  // By pointer: "/items/0/id". Absent members are a test failure and "<absent>".
  std::string at(std::string_view pointer) const {
    boost::system::error_code missing;
    const Json* found = body.find_pointer(pointer, missing);
    EXPECT_TRUE(found) << pointer << " in " << to_json(body);
    return found ? text(*found) : "<absent>";
  }
  std::size_t size(std::string_view pointer = "/items") const {
    boost::system::error_code missing;
    const Json* found = body.find_pointer(pointer, missing);
    EXPECT_TRUE(found && found->is_array()) << pointer << " in " << to_json(body);
    return found && found->is_array() ? found->as_array().size() : 0;
  }
  // The member of every item, with blanks between: "a b c".
  std::string each(std::string_view member) const {
    std::string out;
    for (const Json& item : body.as_object().at("items").as_array()) {
      out += (out.empty() ? "" : " ") + text(item.as_object().at(member));
    }
    return out;
  }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }
  // The flaws in a problem: "/run/cmd: must be a string; ..."
  std::string errors() const {
    std::string out;
    const Json* list = body.is_object() ? body.as_object().if_contains("errors") : nullptr;
    if (!list) return out;
    for (const Json& error : list->as_array()) {
      out += (out.empty() ? "" : "; ") + text(error.as_object().at("path")) + ": " +
             text(error.as_object().at("message"));
    }
    return out;
  }
};

class NativeTest : public ::testing::Test {
 protected:
  explicit NativeTest(engine::Settings settings = testing::Harness::roomy())
      : docket(std::move(settings)) {
    open_door();
  }

  // Again after a restart: the door refers to the old loop.
  void open_door() {
    door = make_native_door(docket.loop(), *docket.archive,
                            {.version = "1.2.3", .started_at = docket.clock.now()});
  }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = {},
             http::Fields headers = {{"content-type", "application/json"}}) {
    Answer answer{.response = docket.ask(*door, method, target, body, std::move(headers)),
                  .body = nullptr};
    if (answer.response.content_type.find("json") != std::string::npos) {
      auto value = parse_json(answer.response.body);
      EXPECT_TRUE(value) << answer.response.body;
      if (value) answer.body = *std::move(value);
    }
    openapi().expect_described(door, method, target, answer.response);
    return answer;
  }
  Answer get(const std::string& target) { return ask("GET", target); }
  Answer post(const std::string& target, const std::string& body = {}) {
    return ask("POST", target, body);
  }
  Answer put(const std::string& target, const std::string& body) {
    return ask("PUT", target, body);
  }
  Answer del(const std::string& target) { return ask("DELETE", target); }

  // Everything that a refused request might have changed.
  std::string everything() {
    return to_json(get("/jobs").body) + to_json(get("/runs").body) + to_json(get("/events").body) +
           to_json(get("/secrets").body) + to_json(get("/locks").body);
  }

  testing::Harness docket;
  std::shared_ptr<const http::Door> door;
};

}  // namespace docket::native
