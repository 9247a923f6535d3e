#pragma once

// Brings answers to connections from any thread. On the io thread they are delivered at once. From
// other threads they collect in a box that one wake-up empties, so a group commit that answers a
// hundred requests costs one. Outlives the server and the io_context: once shut, it discards
// letters.

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "http/message.h"

namespace docket::http {

class Connection;

struct Dropped {};  // the handler let go of its Reply
struct Chunk {
  std::optional<std::string> data;  // nullopt: the end of the stream
};
using Content = std::variant<Response, Dropped, Chunk>;

struct Letter {
  std::weak_ptr<Connection> to;
  std::uint64_t exchange = 0;  // which request of that connection; stale letters are ignored
  Content content;
};

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(boost::asio::io_context& io) : executor_(io.get_executor()) {}

  void send(Letter letter);   // any thread; may deliver before it returns
  void queue(Letter letter);  // any thread; never delivers before it returns
  void shut();

 private:
  void enqueue(Letter letter, std::unique_lock<std::mutex> lock);
  void deliver_all();

  boost::asio::io_context::executor_type executor_;  // not touched once shut
  std::mutex mutex_;                                 // guards what follows
  bool shut_ = false;
  std::vector<Letter> letters_;
};

}  // namespace docket::http
