#pragma once

// The two ends of a socket as Asio endpoints, whatever created the socket. An IPv4-mapped IPv6
// address becomes an IPv4 address.

#include <boost/asio/ip/tcp.hpp>
#include <optional>

namespace docket::http {

using Endpoint = boost::asio::ip::tcp::endpoint;

enum class End { kNear, kFar };
// nullopt if the socket is no longer connected.
std::optional<Endpoint> endpoint_of(int socket, End end);

}  // namespace docket::http
