#include "http/envelope.h"

#include <exception>
#include <utility>

namespace docket::http {
namespace {

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20) {
      out += "\\u00";
      out.push_back(kHex[byte >> 4U]);
      out.push_back(kHex[byte & 15U]);
    } else {
      out.push_back(c);
    }
  }
}

std::string default_message(int status) {
  switch (status) {
    case 401:
      return "A valid token is needed: Authorization: token=TOKEN";
    case 403:
      return "The token does not permit this";
    case 415:
      return "Expecting text/json or application/json body";
    case 500:
      return "The server failed to answer this request";
    case 503:
      return "The server is overloaded; try again later";
    default:
      return std::string(reason_phrase(status));
  }
}

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Entity";
    case 423:
      return "Locked";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

Response json_envelope(const Failure& failure) {
  Response response;
  response.status = failure.status;
  response.content_type = "application/json";
  response.body = "{\"message\":\"";
  append_escaped(response.body, failure.message);
  response.body += "\"}";
  return response;
}

Response render_failure(const Door& door, Failure failure) {
  if (failure.message.empty()) failure.message = default_message(failure.status);
  if (!door.envelope) return json_envelope(failure);
  try {
    Response response = door.envelope(failure);
    response.stream.reset();
    return response;
  } catch (const std::exception&) {
    return json_envelope(failure);
  }
}

}  // namespace docket::http
