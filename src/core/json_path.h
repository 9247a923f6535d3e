#pragma once

// A place in a JSON document: names of members and indexes of arrays, from the root.

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace docket {

class JsonPath {
 public:
  using Step = std::variant<std::string, std::size_t>;

  JsonPath operator/(std::string_view member) const { return with(std::string(member)); }
  JsonPath operator/(std::size_t index) const { return with(index); }
  bool operator==(const JsonPath&) const = default;

  std::string pointer() const;        // "/artifacts/0/uri"; the root is ""
  std::string parenthesised() const;  // "/artifacts(0)/uri", as Play's JSON library writes it

 private:
  JsonPath with(Step step) const {
    JsonPath longer = *this;
    longer.steps_.push_back(std::move(step));
    return longer;
  }

  std::vector<Step> steps_;
};

}  // namespace docket
