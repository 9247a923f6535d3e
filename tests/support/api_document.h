#pragma once

// A door's OpenAPI document, and answers checked against it: the status and the body of an answer
// must be described for the route that gave it.

#include <boost/json/value.hpp>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "http/door.h"
#include "http/message.h"

namespace docket::testing {

class ApiDocument {
 public:
  explicit ApiDocument(std::string_view text);

  const boost::json::value& value() const { return value_; }
  // "get /task_manager/ttl": the operations that it describes, and those that a door has.
  std::set<std::string> operations() const;
  static std::set<std::string> operations(const http::Door& door);

  // Fails the test that calls it. Answers that no route of the door gave pass.
  void expect_described(const std::shared_ptr<const http::Door>& door, const std::string& method,
                        const std::string& target, const http::Response& response) const;

 private:
  // What a "$ref" leads to.
  const boost::json::value* resolved(const boost::json::value* described) const;
  void expect_body(const boost::json::value& described, const http::Response& response) const;

  const boost::json::value value_;
};

}  // namespace docket::testing
