#include "http/exchange.h"

#include <atomic>
#include <utility>

#include "http/connection.h"

namespace docket::http {
namespace {

// One request's right to an answer. When the last copy of a Reply is destroyed without an answer,
// the connection is told.
class Exchange final : public Reply::Taker {
 public:
  Exchange(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> to, std::uint64_t number)
      : mailbox_(std::move(mailbox)), to_(std::move(to)), number_(number) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() override {
    if (!answered_.load(std::memory_order_relaxed)) send(Dropped{});
  }

  void answer(Response response) override {
    if (!answered_.exchange(true, std::memory_order_relaxed)) send(std::move(response));
  }

  void on_gone(Reply::Gone gone) override {
    if (answered_.load(std::memory_order_relaxed)) return;
    const auto connection = to_.lock();
    if (!connection || !connection->tell_when_gone(number_, gone)) gone();
  }

 private:
  void send(Content content) {
    mailbox_->send(Letter{.to = to_, .exchange = number_, .content = std::move(content)});
  }

  const std::shared_ptr<Mailbox> mailbox_;  // shared: outlives the server for late replies
  const std::weak_ptr<Connection> to_;
  const std::uint64_t number_;
  std::atomic<bool> answered_ = false;
};

}  // namespace

Reply make_reply(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> to,
                 std::uint64_t exchange) {
  return Reply(std::make_shared<Exchange>(std::move(mailbox), std::move(to), exchange));
}

BodyStream::Next make_next(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> to,
                           std::uint64_t exchange) {
  return [mailbox = std::move(mailbox), to = std::move(to),
          exchange](std::optional<std::string> data) {
    mailbox->send(Letter{.to = to, .exchange = exchange, .content = Chunk{std::move(data)}});
  };
}

}  // namespace docket::http
