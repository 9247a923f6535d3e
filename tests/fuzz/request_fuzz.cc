// http/request_parser: a connection's bytes mean the same requests however they were cut into
// pieces, and nothing in a request exceeds its limits.

#include <algorithm>
#include <vector>

#include "fuzz/fuzz.h"
#include "http/request_parser.h"

namespace docket::fuzz {
namespace {

using http::RequestParser;
using Step = RequestParser::Step;

struct Limits {
  std::size_t head = 0;
  std::size_t body = 0;
  RequestParser::Body keep = RequestParser::Body::kKeep;
};

std::string shown(const http::Request& request, std::string_view target) {
  std::string text = request.method + " " + std::string(target) + "\n";
  for (const auto& [name, value] : request.headers) text += name + ": " + value + "\n";
  return text + "\n" + request.body;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

void check_request(RequestParser& parser, const Limits& limits) {
  const http::Request& request = parser.request();
  const std::string_view target = parser.target();
  require(!request.method.empty() && !target.empty(), "a request has a method and a target");
  require(std::none_of(target.begin(), target.end(), is_control), "no control bytes in a target");
  std::size_t head = request.method.size() + target.size();
  bool sized = false;
  bool coded = false;
  for (const auto& [name, value] : request.headers) {
    head += name.size() + value.size();
    sized |= name == "content-length";
    coded |= name == "transfer-encoding";
    require(!name.empty(), "a header has a name");
    require(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }),
            "names of headers are in lower case", name);
    require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos,
            "a header's value has no line breaks", value);
  }
  require(head <= limits.head, "a head keeps to its limit");
  require(!(sized && coded), "a body has one length", shown(request, target));
  require(request.body.size() <= limits.body, "a body keeps to its limit");
  if (limits.keep == RequestParser::Body::kDrop) require(request.body.empty(), "dropped bytes");
  if (limits.keep == RequestParser::Body::kKeep && parser.body_size()) {
    require(request.body.size() == *parser.body_size(), "a body is as long as was said");
  }
}

// Takes bytes as http/connection.cc does, and writes down what became of them.
class Connection {
 public:
  explicit Connection(const Limits& limits) : limits_(limits), parser_(limits.head) {}

  void take(std::string_view piece) {
    in_ += piece;
    std::size_t used = 0;
    while (!over_) {
      const auto fed = parser_.feed(std::string_view(in_).substr(used));
      used += fed.used;
      require(used <= in_.size(), "no more is used than there was");
      if (fed.step == Step::kMore) break;
      advance(fed.step);
    }
    in_.erase(0, used);
  }
  const std::string& story() const { return story_; }
  int failure() const { return failure_; }
  bool over() const { return over_; }

 private:
  void advance(Step step) {
    if (step == Step::kFailed) return fail(parser_.failure());
    if (step == Step::kHead) return begin_body();
    check_request(parser_, limits_);
    story_ += shown(parser_.request(), parser_.target()) + "\n---\n";
    over_ = !parser_.keep_alive();
    parser_.reset();
    require(parser_.idle(), "idle after a request");
  }

  void begin_body() {
    if (parser_.body_size().value_or(0) > limits_.body) return fail(413);
    if (parser_.expects_continue()) story_ += "(100)";
    if (parser_.http10()) story_ += "(1.0)";
    if (parser_.has_body()) parser_.expect_body(limits_.body, limits_.keep);
  }

  void fail(int status) {
    require(status == 400 || status == 413 || status == 414 || status == 431, "a known failure",
            std::to_string(status));
    failure_ = status;
    over_ = true;
  }

  Limits limits_;
  RequestParser parser_;
  std::string in_;
  std::string story_;  // of the requests
  int failure_ = 0;    // how it ended, if it did
  bool over_ = false;
};

void take_in_pieces(Connection& connection, std::string_view bytes, std::uint8_t cut) {
  std::uint32_t dice = cut;
  while (!bytes.empty() && !connection.over()) {
    dice = dice * 1664525U + 1013904223U;
    // Every other cut is into single bytes, where most can go wrong.
    const std::size_t size = cut % 2 == 0 ? 1 : 1 + (dice >> 24U) % 24;
    connection.take(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
}

// A head that is both malformed and too large may be refused for either.
bool is_same_failure(int one, int other) {
  const auto of_head = [](int status) { return status == 414 || status == 431; };
  return one == other || (one == 400 && of_head(other)) || (other == 400 && of_head(one));
}

void run(std::string_view bytes) {
  Input input(bytes);
  const std::uint8_t cut = input.byte();
  const std::uint8_t sizes = input.byte();
  const Limits limits{
      .head = std::size_t{64} << (sizes & 3U),
      .body = (sizes & 4U) != 0 ? 16U : 4096U,
      .keep = (sizes & 8U) != 0 ? RequestParser::Body::kDrop : RequestParser::Body::kKeep};
  // Mistakes in a head may be seen before its end or at its end, so it has one.
  const std::string all = std::string(input.rest()) + "\r\n\r\n";
  Connection at_once(limits);
  at_once.take(all);
  Connection cut_up(limits);
  take_in_pieces(cut_up, all, cut);
  require(at_once.story() == cut_up.story(), "pieces do not change what is read",
          "at once:\n" + at_once.story() + "\nin pieces:\n" + cut_up.story());
  require(is_same_failure(at_once.failure(), cut_up.failure()), "nor how it fails",
          std::to_string(at_once.failure()) + " " + std::to_string(cut_up.failure()));
}

const Target kTarget("request", run);

}  // namespace
}  // namespace docket::fuzz
