#include "http/socket_address.h"

#include <sys/socket.h>

namespace docket::http {
namespace {

namespace ip = boost::asio::ip;

Endpoint unmapped(const Endpoint& endpoint) {
  const auto& address = endpoint.address();
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return endpoint;
  return {ip::make_address_v4(ip::v4_mapped, address.to_v6()), endpoint.port()};
}

}  // namespace

std::optional<Endpoint> endpoint_of(int socket, End end) {
  Endpoint endpoint;
  auto size = static_cast<socklen_t>(endpoint.capacity());
  const int failed = end == End::kNear ? ::getsockname(socket, endpoint.data(), &size)
                                       : ::getpeername(socket, endpoint.data(), &size);
  if (failed != 0) return std::nullopt;
  endpoint.resize(size);
  return unmapped(endpoint);
}

}  // namespace docket::http
