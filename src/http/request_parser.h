#pragma once

// Turns bytes into Requests, one after another, without a socket. Beast's parser does the grammar
// (and is seen only in request_parser.cc). This class fills our Request directly, and counts what
// Beast does not: the size of a whole head. One thread. Tested by request_parser_test.cc.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace docket::http {

class RequestParser {
 public:
  enum class Step {
    kMore,      // needs more bytes; feed the unused ones again with them
    kHead,      // the head is complete and body bytes may follow: decide, then continue
    kComplete,  // the request is whole; take it, then reset()
    kFailed,    // see failure(); the connection cannot go on
  };
  struct Fed {
    std::size_t used = 0;
    Step step = Step::kMore;
  };

  explicit RequestParser(std::size_t head_limit);
  ~RequestParser();

  Fed feed(std::string_view bytes);
  void reset();

  // What to do with the body; between kHead and the next feed. Dropped bytes still count against
  // the limit.
  enum class Body { kKeep, kDrop };
  void expect_body(std::size_t limit, Body body);

  bool idle() const;      // no byte of the next request has been used yet
  bool has_body() const;  // according to its head: a non-zero length, or chunks
  std::optional<std::uint64_t> body_size() const;  // Content-Length, when given
  bool keep_alive() const;
  bool http10() const;
  bool expects_continue() const;
  int failure() const;       // 400, 413, 414 or 431
  std::size_t held() const;  // bytes kept of the request, roughly and by capacity

  Request& request();               // method, headers and body are filled; the rest is the router's
  std::string_view target() const;  // as the client sent it

 private:
  struct Grammar;
  std::unique_ptr<Grammar> grammar_;
};

}  // namespace docket::http
