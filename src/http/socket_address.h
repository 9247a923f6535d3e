#pragma once

// The two ends of a socket as Asio's endpoints, whoever made the socket. An IPv4 address within
// IPv6 is an IPv4 address.

#include <boost/asio/ip/tcp.hpp>
#include <optional>

namespace docket::http {

using Endpoint = boost::asio::ip::tcp::endpoint;

enum class End { kNear, kFar };
// nullopt when the socket is not connected any more.
std::optional<Endpoint> endpoint_of(int socket, End end);

}  // namespace docket::http
