#pragma once

// JSON bodies of any length, written piece by piece: what a client has not read yet is not in
// memory, and no turn of the strand is long. A body of a single piece is answered whole.

#include <functional>
#include <memory>
#include <string>

#include "core/json_writer.h"
#include "dialects/metronome/routes.h"

namespace docket::metronome {

struct Piece {
  std::string text;
  bool more = false;  // another one follows
};

class Pieces {
 public:
  using Done = std::function<void(Result<Piece>)>;
  virtual ~Pieces() = default;
  // On the strand; `done` may be called on an archive's thread. Not called again before the
  // previous call is done. The client may be gone by then: code that works on a piece keeps the
  // object alive.
  virtual void next(Done done) = 0;
};

// For admitted callers. An error in the first piece is answered; a later one truncates the body.
void answer_in_pieces(std::shared_ptr<Pieces> pieces, Call call);

// A list written on the strand: `write` appends to `text`, through the writer, until there are
// kTurnBytes, and returns whether there is more. It remembers its position.
inline constexpr std::size_t kTurnBytes = 16 * 1024;
using WriteSome =
    std::function<Result<bool>(engine::Engine&, JsonWriter& json, const std::string& text)>;
void answer_list(const Context& context, Call call, WriteSome write);

}  // namespace docket::metronome
