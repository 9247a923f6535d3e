#include "http/mailbox.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "http/connection.h"

namespace docket::http {
namespace {

void hand_over(Letter letter) {
  // Locked on the io thread only: a connection must not be destroyed on another thread.
  if (const auto connection = letter.to.lock()) {
    connection->deliver(letter.exchange, std::move(letter.content));
  }
}

}  // namespace

void Mailbox::send(Letter letter) {
  std::unique_lock lock(mutex_);
  if (shut_) return;
  if (!executor_.running_in_this_thread()) return enqueue(std::move(letter), std::move(lock));
  lock.unlock();
  hand_over(std::move(letter));
}

void Mailbox::queue(Letter letter) {
  std::unique_lock lock(mutex_);
  if (!shut_) enqueue(std::move(letter), std::move(lock));
}

void Mailbox::enqueue(Letter letter, std::unique_lock<std::mutex> lock) {
  letters_.push_back(std::move(letter));
  if (letters_.size() > 1) return;  // the sender of the first one has woken the io thread
  boost::asio::post(executor_, [self = shared_from_this()] { self->deliver_all(); });
  lock.unlock();
}

void Mailbox::deliver_all() {
  std::vector<Letter> letters;
  {
    const std::scoped_lock lock(mutex_);
    letters.swap(letters_);
  }
  for (Letter& letter : letters) hand_over(std::move(letter));
}

void Mailbox::shut() {
  std::vector<Letter> letters;
  const std::scoped_lock lock(mutex_);
  shut_ = true;
  letters.swap(letters_);
}

}  // namespace docket::http
