#pragma once

// Responses as bytes: status line, headers and chunk framing, rendered by hand into a buffer that
// the connection keeps. Pure but for DateCache's argument. Tested by wire_test.cc.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.h"

namespace docket::http {

enum class BodyForm { kSized, kChunked, kUntilClose };

struct HeadOptions {
  std::string_view server = {};  // empty: no Server header
  std::string_view date = {};    // as DateCache renders it
  BodyForm form = BodyForm::kSized;
  bool close = false;   // the connection ends after this response
  bool http10 = false;  // an HTTP/1.0 client must be told that the connection stays open
};

// 204 and 304 (and 1xx) never have a body, whatever the handler set.
bool may_have_body(int status);

// Appends everything up to the blank line. Framing headers (Content-Length, Transfer-Encoding,
// Connection, Date) in response.headers are dropped, because they would contradict what is sent;
// control bytes in values become spaces.
void append_head(std::string& out, const Response& response, const HeadOptions& options);

bool equal_ignoring_case(std::string_view a, std::string_view b);  // ASCII

// Whether a Content-Type is application/json or text/json, with any parameters.
bool is_json_type(std::string_view content_type);

void append_chunk(std::string& out,
                  std::string_view data);  // data must not be empty: that would be the end
void append_last_chunk(std::string& out);

// "Sun, 06 Nov 1994 08:49:37 GMT", rendered once per second.
class DateCache {
 public:
  std::string_view at(std::int64_t unix_seconds);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

}  // namespace docket::http
