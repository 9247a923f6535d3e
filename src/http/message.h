#pragma once

// Plain requests and responses: what a door sees of HTTP. Free of Beast, so that doors compile
// quickly.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "http/access.h"

namespace docket::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // upper case; HEAD arrives as GET (the server drops the body again)
  // As routed: the mount's prefix removed, slashes collapsed where the door says so, still
  // percent-encoded.
  std::string path;
  std::vector<std::string> params;  // the route's {captures}, percent-decoded, in order
  Fields query;                     // percent-decoded, '+' is a space, in order, repeats kept
  Fields headers;                   // names in lower case
  std::string body;
  std::string remote;               // peer address
  IdentityPtr identity = anyone();  // the caller; null: not in the access list

  // The last value of a query parameter or header; nullopt when absent.
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::optional<std::string_view> header(std::string_view lower_case_name) const;
};

// A body that is produced piece by piece (SSE, log following, long lists). The connection pulls, so
// a slow client slows the source and never grows memory. Destroyed when the client disconnects.
class BodyStream {
 public:
  using Next = std::function<void(std::optional<std::string> chunk)>;  // nullopt: the end
  virtual ~BodyStream() = default;
  // Gives one chunk, now or later, from any thread, exactly once per call. Not called again before
  // that.
  virtual void next(Next done) = 0;
  // What to send when the stream has been silent for Limits::heartbeat, so that proxies and the
  // kernel notice dead clients. A stream with a heartbeat is live (it has no end of its own):
  // Server::stop ends it at once, others may run until the deadline.
  virtual std::string heartbeat() const { return {}; }
};

struct Response {
  int status = 200;
  std::string content_type = {};  // empty: no Content-Type header
  std::string body = {};
  Fields headers = {};
  // When set, sent chunked after the headers instead of body; shared with its source.
  std::shared_ptr<BodyStream> stream = {};
};

// Answers one request. Callable once, from any thread; dropping it unanswered sends the door's 500.
// Copies are cheap and share the one answer.
class Reply {
 public:
  using Gone = std::function<void()>;

  // Where the answer goes; shared by the copies of a Reply.
  class Taker {
   public:
    virtual ~Taker() = default;
    virtual void answer(Response response) = 0;
    virtual void on_gone(Gone) {}  // only the client of a connection can go away
  };

  Reply() = default;
  explicit Reply(std::shared_ptr<Taker> taker) : taker_(std::move(taker)) {}
  template <class F>
    requires std::is_invocable_v<const F&, Response> && (!std::is_same_v<F, Reply>)
  Reply(F take)  // NOLINT(google-explicit-constructor): any callable is a reply
      : taker_(std::make_shared<Callable<F>>(std::move(take))) {}

  void operator()(Response response) const { taker_->answer(std::move(response)); }

  // Calls `gone` once, on the io thread, if the connection closes before the answer: at once if it
  // is already closed, never after an answer. Call it on the io thread, and at most once per
  // request. For handlers that hold something for a client that may have left.
  //
  // A client that closes its sending half looks like one that has left, until something is sent to
  // it. So a request with this hook is then sent a "100 Continue", which every HTTP/1.1 client
  // skips before its answer: a client that still listens gets its answer as usual, and if it has
  // left, its kernel says so. HTTP/1.0 has no such response: there the end of input means that the
  // client is gone, as in most servers. (nginx, Go and others assume so for every client.)
  void on_gone(Gone gone) const { taker_->on_gone(std::move(gone)); }

 private:
  template <class F>
  class Callable final : public Taker {
   public:
    explicit Callable(F take) : take_(std::move(take)) {}
    void answer(Response response) override { take_(std::move(response)); }

   private:
    const F take_;
  };

  std::shared_ptr<Taker> taker_;
};
using Handler = std::function<void(Request, Reply)>;

}  // namespace docket::http
