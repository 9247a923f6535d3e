#include "support/api_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cctype>

#include "core/json.h"
#include "http/router.h"
#include "http/target.h"
#include "support/schema_check.h"

namespace docket::testing {
namespace {

namespace json = boost::json;

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

// "/secrets/{path...}" is "/secrets/{path}" in OpenAPI.
std::string openapi_path(std::string pattern) {
  if (const auto dots = pattern.find("...}"); dots != std::string::npos) pattern.erase(dots, 3);
  return pattern;
}

}  // namespace

ApiDocument::ApiDocument(std::string_view text) : value_(parse_json(text).value()) {}

std::set<std::string> ApiDocument::operations() const {
  std::set<std::string> all;
  for (const auto& [path, operations] : value_.at("paths").as_object()) {
    for (const auto& [method, operation] : operations.as_object()) {
      if (method != "parameters") all.insert(std::string(method) + " " + std::string(path));
    }
  }
  return all;
}

std::set<std::string> ApiDocument::operations(const http::Door& door) {
  std::set<std::string> all;
  for (const http::Route& route : door.routes) {
    all.insert(lower(route.method) + " " + openapi_path(route.pattern));
  }
  return all;
}

void ApiDocument::expect_described(const std::shared_ptr<const http::Door>& door,
                                   const std::string& method, const std::string& target,
                                   const http::Response& response) const {
  const auto router = http::Router::compile({{"", door}});
  const auto match = router->match(method, http::split_target(target)->path);
  if (match.status != 200 || method == "HEAD") return;
  SCOPED_TRACE(method + " " + target + " answered " + std::to_string(response.status) + " " +
               response.body);
  const auto& operation =
      value_.at("paths").at(openapi_path(match.route->pattern)).at(lower(match.route->method));
  const auto& responses = operation.at("responses").as_object();
  const json::value* described = responses.if_contains(std::to_string(response.status));
  if (!described && response.status >= 400) described = responses.if_contains("default");
  ASSERT_TRUE(described) << "its status is not in the document";
  expect_body(*resolved(described), response);
}

const json::value* ApiDocument::resolved(const json::value* described) const {
  const json::value* reference = described->as_object().if_contains("$ref");
  if (!reference) return described;
  return &value_.at_pointer(std::string(reference->as_string()).substr(1));
}

void ApiDocument::expect_body(const json::value& described, const http::Response& response) const {
  const json::value* content = described.as_object().if_contains("content");
  if (!content) {
    EXPECT_EQ(response.body, "");
    return;
  }
  const std::string type = response.content_type.substr(0, response.content_type.find(';'));
  const json::value* form = content->as_object().if_contains(type);
  ASSERT_TRUE(form) << type << " is not in the document";
  if (type.find("json") == std::string::npos) return;
  const auto body = parse_json(response.body);
  ASSERT_TRUE(body);
  SchemaCheck check(value_);
  EXPECT_THAT(check.check(*body, form->at("schema")), ::testing::IsEmpty());
}

}  // namespace docket::testing
