#pragma once

// One client: reads requests, calls handlers one at a time, writes answers in order, and enforces
// its deadlines.
//
// Everything is driven by proceed(), which parses what has arrived, answers what can be answered,
// writes as much as the socket takes in one gather write, and then waits for readability or
// writability, as needed. Answers that arrive while a handler runs only fill the output buffer, so
// pipelined requests share one write.
//
// io thread only. Lives from its construction until close(), which releases its reference to
// itself; every entry from outside (a completion, a letter, a sweep) holds its own reference while
// it runs.
// Tested by server_test.cc.

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/admission.h"
#include "http/mailbox.h"
#include "http/request_parser.h"
#include "http/router.h"

namespace docket::http {

class Connections;
using Socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
using SteadyTime = std::chrono::steady_clock::time_point;

class Connection : public std::enable_shared_from_this<Connection>,
                   public boost::intrusive::list_base_hook<
                       boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(std::shared_ptr<Connections> home, Socket socket, std::string remote,
             std::shared_ptr<const Router> router);

  void start();
  void refuse();  // answers 503 and ends
  void deliver(std::uint64_t exchange, Content content);
  // Takes the callback if that request still waits for its answer here; false: the client is gone.
  bool tell_when_gone(std::uint64_t exchange, Reply::Gone& gone);
  SteadyTime deadline() const { return deadline_; }
  void read();    // what has arrived
  void expire();  // its deadline has passed
  // The budget: counts what it holds, checks whether it has moved little twice in a row, and gives
  // way.
  void look(std::chrono::nanoseconds since_last);
  std::size_t held() const { return held_; }
  bool is_slow() const { return slow_looks_ > 1; }
  void free_spare();
  void give_way();
  void drain();  // no further request after the one in flight
  void close();

 private:
  // Pipelined answers, and stream chunks that are available at once, share writes of about this
  // size.
  static constexpr std::size_t kCoalesceBytes = 64 * 1024;

  enum class Phase {
    kReading,    // a request, or waiting for one
    kHandling,   // a handler owes an answer
    kStreaming,  // an answer's body is being produced
    kClosing,    // close when the output is written
    kLingering,  // all is written; input is discarded, so that the client can read the answer
    kClosed,
  };

  // Input.
  void watch_input();
  void on_readable();
  bool is_bulk() const;
  void on_end_of_input();
  void probe_peer();
  void proceed(std::string_view fresh);
  std::size_t consume(std::string_view bytes);
  bool advance(RequestParser::Step step);
  void on_head();
  Refusal route_request();
  void on_request();
  void call_handler();

  // Answers (connection_answers.cc).
  void respond(Response response);
  void respond_failure(const Refusal& why);
  void fail(
      const Refusal& why);  // answers, and ends the connection: its input can no longer be parsed
  void end_response();
  void append_body(std::string body);
  void on_chunk(Chunk chunk);
  void append_stream_data(std::string_view data);
  void pull_stream();
  void retire_stream();
  bool is_refused_for_size(const Response& response) const;

  // Output.
  std::size_t unsent() const;
  bool flush();  // true when everything is written
  void wait_writable();
  void settle();
  void set_reading_deadline();
  void begin_linger();
  void later();

  // The budget.
  void account();
  bool is_refused_for_size() const;

  std::shared_ptr<Connections> home_;     // shared by all connections and the server
  std::shared_ptr<Connection> self_;      // released by close()
  std::shared_ptr<const Router> router_;  // shared by the connections of a listener
  Socket socket_;
  const std::string remote_;
  Peer peer_;
  RequestParser parser_;
  SteadyTime deadline_ = SteadyTime::max();
  SteadyTime drained_by_ = SteadyTime::max();  // deadline for the output being written
  std::size_t held_ = 0;                       // as counted last
  std::size_t moved_ = 0;                      // since the last look
  std::uint8_t slow_looks_ = 0;                // consecutive looks at which it had moved little

  Phase phase_ = Phase::kReading;
  bool consuming_ = false;  // consume() is on the stack
  bool pulling_ = false;    // pull_stream() is on the stack
  bool waiting_input_ = false;
  bool waiting_output_ = false;
  bool input_ended_ = false;
  bool waiting_reset_ = false;
  bool linger_ = false;         // input is left unread: linger before closing
  bool request_timed_ = false;  // deadline_ is that of the request being read
  std::size_t discarded_ = 0;   // while lingering

  // The current request.
  Match match_;
  Fields query_;
  std::string path_;  // as the client sent it, for envelopes
  Refusal refusal_;   // the answer once its body has been read
  std::uint64_t exchange_ = 0;
  bool last_ = false;  // the connection ends after its answer
  bool http10_ = false;
  std::unique_ptr<Reply::Gone> gone_;   // few requests have one
  std::shared_ptr<BodyStream> stream_;  // shared with its source
  bool stream_chunked_ = false;
  bool chunk_owed_ = false;

  std::string in_;        // arrived, not parsed yet
  std::string out_;       // heads and small bodies; then, after it on the wire:
  std::string body_;      // one large body
  std::size_t sent_ = 0;  // of out_ and body_ together
};

}  // namespace docket::http
