#include "http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <utility>

namespace docket::http {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

// State of one request; separate from the parser, so that a reset is one assignment.
struct Gathered {
  Request request;
  std::string target;
  bool http10 = false;
  bool expects_continue = false;
  bool odd_transfer_encoding = false;
  int transfer_encodings = 0;
  int hosts = 0;
  bool in_head = true;
  bool keep_body = false;
};

std::string lower_case(beast::string_view name) {
  std::string lower(name.size(), '\0');
  std::ranges::transform(name, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// An unknown or repeated coding would make the end of the body ambiguous (request smuggling).
// HTTP/1.0 has no codings.
bool has_clear_framing(const Gathered& head) {
  if (head.transfer_encodings == 0) return true;
  return head.transfer_encodings == 1 && !head.odd_transfer_encoding && !head.http10;
}

// The host must not be ambiguous either. HTTP/1.0 predates Host.
bool has_clear_host(const Gathered& head) {
  return head.hosts == 1 || (head.hosts == 0 && head.http10);
}

class Parser final : public beast::http::basic_parser<true> {
 public:
  Parser(Gathered& gathered, std::size_t head_limit) : gathered_(gathered) {
    header_limit(static_cast<std::uint32_t>(head_limit));
    body_limit(boost::none);
  }

 private:
  void on_request_impl(beast::http::verb, beast::string_view method, beast::string_view target,
                       int version, error_code&) override {
    gathered_.http10 = version < 11;
    gathered_.request.method.assign(method.data(), method.size());
    gathered_.target.assign(target.data(), target.size());
  }

  void on_response_impl(int, beast::string_view, int, error_code&) override {}

  void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                     error_code&) override {
    if (!gathered_.in_head) return;  // trailers must not pose as headers
    if (field == beast::http::field::expect) {
      gathered_.expects_continue = beast::iequals(value, "100-continue");
    } else if (field == beast::http::field::transfer_encoding) {
      ++gathered_.transfer_encodings;
      gathered_.odd_transfer_encoding |= !beast::iequals(value, "chunked");
    } else if (field == beast::http::field::host) {
      ++gathered_.hosts;
    }
    gathered_.request.headers.emplace_back(lower_case(name),
                                           std::string(value.data(), value.size()));
  }

  void on_header_impl(error_code& ec) override {
    gathered_.in_head = false;
    if (!has_clear_framing(gathered_)) ec = beast::http::error::bad_transfer_encoding;
    if (!has_clear_host(gathered_)) ec = beast::http::error::bad_field;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& size, error_code&) override {
    announced_ = size ? static_cast<std::size_t>(*size) : SIZE_MAX;
  }

  // Grows as bytes arrive, to at most four times its capacity and never beyond the announced
  // length.
  std::size_t on_body_impl(beast::string_view bytes, error_code&) override {
    if (!gathered_.keep_body) return bytes.size();
    std::string& body = gathered_.request.body;
    const auto needed = body.size() + bytes.size();
    if (needed > body.capacity()) {
      std::string grown;  // an empty string reserves exactly what is asked
      grown.reserve(std::max(needed, std::min(announced_, 4 * body.capacity())));
      grown.append(body);
      body.swap(grown);
    }
    body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, beast::string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }

  void on_finish_impl(error_code&) override {}

  Gathered& gathered_;
  std::size_t announced_ = SIZE_MAX;  // bytes of the body
};

// Whether this may be the beginning of a last chunk. Beast asserts that it does not see an
// incomplete one twice.
bool begins_last_chunk(std::string_view text) {
  constexpr std::string_view kWhole = "0\r\n\r\n";
  return text.starts_with('0') && text.size() < kWhole.size();
}

// The line a chunk begins with, from where Beast stopped, which may be before the end of the
// previous chunk.
std::string_view chunk_line(std::string_view text) {
  if (text.starts_with("\r\n")) text.remove_prefix(2);
  const auto end = text.find("\r\n");  // what Beast takes for an end
  return end == std::string_view::npos ? std::string_view{} : text.substr(0, end);
}

// A quoted chunk extension ends on its line (RFC 9110 5.6.4). Beast searches for its end beyond the
// line, and adds the chunk to the body's size each time it searches.
bool has_open_quote(std::string_view line) {
  bool open = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') open = !open;
    if (line[i] == '\\' && open) ++i;
  }
  return open;
}

bool is_line_break(char c) { return c == '\r' || c == '\n'; }

int status_of(const error_code& ec, bool in_request_line) {
  using beast::http::error;
  if (ec == error::header_limit) return in_request_line ? 414 : 431;
  if (ec == error::body_limit) return 413;
  return 400;
}

}  // namespace

struct RequestParser::Grammar {
  explicit Grammar(std::size_t limit) : head_limit(limit) { reset(); }

  void reset() {
    gathered.request = Request();
    std::string().swap(gathered.request.body);  // an assignment keeps the old capacity
    gathered.request.headers.reserve(8);
    gathered.target.clear();
    gathered.expects_continue = gathered.odd_transfer_encoding = gathered.keep_body = false;
    gathered.transfer_encodings = gathered.hosts = 0;
    gathered.in_head = true;
    parser.emplace(gathered, head_limit);
    head_used = 0;
    failure = 400;
  }

  std::size_t head_limit;
  std::size_t head_used = 0;  // Beast limits one put only; a head fed in pieces is counted here
  int failure = 400;
  Gathered gathered;
  std::optional<Parser> parser;
};

RequestParser::RequestParser(std::size_t head_limit)
    : grammar_(std::make_unique<Grammar>(head_limit)) {}
RequestParser::~RequestParser() = default;

RequestParser::Fed RequestParser::feed(std::string_view bytes) {
  Grammar& g = *grammar_;
  Fed fed;
  // Old clients end a body with a stray line break; RFC 9112 2.2 asks to skip it.
  while (idle() && fed.used < bytes.size() && is_line_break(bytes[fed.used])) ++fed.used;
  while (fed.used < bytes.size() && !g.parser->is_done()) {
    const bool was_head = g.gathered.in_head;
    error_code ec;
    const auto rest = bytes.substr(fed.used);
    if (!was_head && g.parser->chunked() && begins_last_chunk(rest)) return fed;
    const auto used = g.parser->put(boost::asio::const_buffer(rest.data(), rest.size()), ec);
    fed.used += used;
    if (was_head) g.head_used += used;
    const bool need_more = ec == beast::http::error::need_more;
    const bool head_full =
        was_head && g.head_used + (need_more ? rest.size() - used : 0) > g.head_limit;
    if (head_full) ec = beast::http::error::header_limit;
    const bool endless =
        need_more && !was_head && has_open_quote(chunk_line(bytes.substr(fed.used)));
    if (endless) ec = beast::http::error::bad_chunk_extension;
    if (ec && (head_full || endless || !need_more)) {
      // Beast waits for the whole head if its first line arrived in pieces.
      const bool in_request_line =
          g.gathered.target.empty() &&
          rest.substr(0, g.head_limit).find('\n') == std::string_view::npos;
      g.failure = status_of(ec, in_request_line);
      fed.step = Step::kFailed;
      return fed;
    }
    if (was_head && !g.gathered.in_head) {
      fed.step = Step::kHead;
      return fed;
    }
    if (need_more || used == 0) return fed;
  }
  if (g.parser->is_done()) fed.step = Step::kComplete;
  return fed;
}

void RequestParser::reset() { grammar_->reset(); }

void RequestParser::expect_body(std::size_t limit, Body body) {
  grammar_->parser->body_limit(limit);
  grammar_->gathered.keep_body = body == Body::kKeep;
}

bool RequestParser::idle() const { return grammar_->gathered.in_head && grammar_->head_used == 0; }

bool RequestParser::has_body() const { return !grammar_->parser->is_done(); }

std::optional<std::uint64_t> RequestParser::body_size() const {
  const auto size = grammar_->parser->content_length();
  return size ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

bool RequestParser::keep_alive() const { return grammar_->parser->keep_alive(); }
bool RequestParser::http10() const { return grammar_->gathered.http10; }
bool RequestParser::expects_continue() const { return grammar_->gathered.expects_continue; }
int RequestParser::failure() const { return grammar_->failure; }

std::size_t RequestParser::held() const {
  const Request& request = grammar_->gathered.request;
  return request.body.capacity() + grammar_->head_used +
         request.headers.capacity() * sizeof(Fields::value_type);
}

Request& RequestParser::request() { return grammar_->gathered.request; }
std::string_view RequestParser::target() const { return grammar_->gathered.target; }

}  // namespace docket::http
