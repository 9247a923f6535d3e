#pragma once

// Which requests are admitted: what is checked once the head of a request has been read and its
// route found, before any of its body. The request must be meant for this server (Host), it must
// not come from a foreign web page (Origin), and its caller must be known: by a token of the access
// list or, without a list, as a user whom the server trusts (local_trust.h).
//
// io thread only. Tested by admission_test.cc.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "http/access.h"
#include "http/local_trust.h"
#include "http/message.h"
#include "http/origin.h"
#include "http/router.h"

namespace docket::http {

// Why the server itself answers a request instead of its handler.
struct Refusal {
  Refusal(int code = 0,  // NOLINT(google-explicit-constructor): most have no message
          std::string words = {}, bool gate = false)
      : status(code), message(std::move(words)), at_gate(gate) {}
  int status;                   // 0: not refused
  std::string message;          // empty: the default one of this status
  bool at_gate;                 // see Failure
  std::string permission = {};  // the missing one, if any
};

// One connection as seen from here; what has been found out about it is kept.
class Peer {
 public:
  explicit Peer(int socket) : socket_(socket) {}

  // Whether it arrived on this address, given in the system's notation.
  bool came_in_on(std::string_view address) const;
  // Why its other end is not served; empty: it is. Determined once.
  const std::string& objection(LocalTrust& trust, LocalTrust::Time now);

  std::string host;  // the last one found to be this server

 private:
  int socket_;  // open while it is used here
  std::optional<std::string> objection_;
};

class Admission {
 public:
  void answer_to(HostNames names) { names_ = std::move(names); }
  void trust(std::unique_ptr<LocalTrust> trust) { trust_ = std::move(trust); }
  void admit(AccessList list) { access_ = std::move(list); }

  // Fills the request's identity.
  Refusal check(const Match& match, Request& request, Peer& peer, LocalTrust::Time now) const;

 private:
  Refusal check_host(const Request& request, Peer& peer) const;
  bool may_cross_origins(const Match& match, const Request& request) const;

  HostNames names_;
  std::optional<AccessList> access_;   // none: trust_ decides
  std::unique_ptr<LocalTrust> trust_;  // null: everyone is served
};

}  // namespace docket::http
