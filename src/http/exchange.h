#pragma once

// The handles by which other code reaches a connection: a handler's Reply, a stream's Next.

#include <cstdint>
#include <memory>

#include "http/mailbox.h"

namespace docket::http {

Reply make_reply(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> to,
                 std::uint64_t exchange);
BodyStream::Next make_next(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Connection> to,
                           std::uint64_t exchange);

}  // namespace docket::http
