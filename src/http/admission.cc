#include "http/admission.h"

#include "http/socket_address.h"

namespace docket::http {
namespace {

bool reads(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

bool reads_public_document(const Match& match, const Request& request) {
  return match.route && match.route->is_public && reads(request);
}

// A public document behind a gate is only for callers that the gate lets pass.
bool needs_caller(const Match& match, const Request& request) {
  const bool gated = match.gate && !match.gate->resource.empty();
  return gated || !reads_public_document(match, request);
}

}  // namespace

bool Peer::came_in_on(std::string_view address) const {
  const auto near = endpoint_of(socket_, End::kNear);
  if (!near) return false;
  const std::string text = near->address().to_string();
  return address == std::string_view(text).substr(0, text.find('%'));  // a Host has no zone
}

const std::string& Peer::objection(LocalTrust& trust, LocalTrust::Time now) {
  if (!objection_) objection_ = trust.objection(socket_, now);
  return *objection_;
}

Refusal Admission::check_host(const Request& request, Peer& peer) const {
  const auto text = request.header("host");
  if (!text || *text == peer.host) return 0;  // HTTP/1.0 has none, and no browser speaks it
  const auto host = parse_authority(*text);
  if (!host) return {400, "The Host header is not a host name"};
  const bool own = names_.has(*host) || (host->address && peer.came_in_on(host->name));
  if (!own) {
    return {421, "This server is not known as " + host->name +
                     "; it answers to localhost, to its address and to names given with --host"};
  }
  peer.host = *text;
  return 0;
}

// What a page of another origin may do. Trust in the browser's machine does not extend to the pages
// that the browser runs; a token belongs to the page itself.
bool Admission::may_cross_origins(const Match& match, const Request& request) const {
  if (reads_public_document(match, request)) return true;
  return access_ && request.identity && match.door->tokens_cross_origins;
}

Refusal Admission::check(const Match& match, Request& request, Peer& peer,
                         LocalTrust::Time now) const {
  request.identity = nullptr;
  if (auto refusal = check_host(request, peer); refusal.status != 0) return refusal;
  if (access_) request.identity = access_->identify(request.header("authorization").value_or(""));
  if (is_foreign(request, request.header("host").value_or("")) &&
      !may_cross_origins(match, request)) {
    return {403, "This server does not serve web pages of another origin"};
  }
  if (!access_) {
    const bool for_everyone = !needs_caller(match, request);
    if (trust_ && !for_everyone && !peer.objection(*trust_, now).empty()) {
      return {403, peer.objection(*trust_, now)};
    }
    request.identity = anyone();
  }
  const int at_gate = match.gate ? match.gate->refusal(request.identity, request.method) : 0;
  if (at_gate != 403) return {at_gate, "", true};
  Refusal refusal{403, "", true};
  refusal.permission = match.gate->wanted(request.method);
  refusal.message = "This needs the permission " + refusal.permission;
  return refusal;
}

}  // namespace docket::http
