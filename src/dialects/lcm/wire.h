#pragma once

// What all answers of this API have in common (opscenter-lcm.md sections 1.2 and 1.3): errors, ids,
// instants, pages, and addresses of objects.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/ids.h"
#include "core/json_writer.h"
#include "core/time.h"
#include "dialects/lcm/resource.h"
#include "http/message.h"

namespace docket::lcm {

// 2016-06-21T17:21:30.357Z
std::string instant(Time at);

struct Complaint {
  std::string field, message;
};
struct Refusal {
  int status = 400;
  std::string_view type = "ValidationError";
  std::string message;
  std::vector<Complaint> details = {};
};
template <class T>
using Wire = tl::expected<T, Refusal>;
http::Response error_response(Version version, const Refusal& refusal);
http::Response json_response(std::string body, int status = 200);
Refusal invalid(std::vector<Complaint> details);  // of the request: its message names them
Refusal not_found(std::string_view family, std::string_view id);

// Where the client reached this server, for the addresses in answers: the request's Host.
struct Base {
  std::string origin;  // "http://opscenter:8888"
  Version version = Version::kV2;
  std::string lcm() const;  // ".../api/v2/lcm/"
};
Base base_of(const http::Request& request, Version version);

// Which part of a list a request asks for.
struct PageQuery {
  std::size_t page = 1;
  std::size_t per_page = 50;
};
inline constexpr std::size_t kPerPageMax = 1000;
Wire<PageQuery> read_page(const http::Request& request);
// The envelope of a list of `count`; `write` shows the item of this index.
std::string page(const http::Request& request, const Base& base, std::string_view path,
                 const PageQuery& query, std::size_t count,
                 const std::function<void(JsonWriter&, std::size_t)>& write);

}  // namespace docket::lcm
