#pragma once

// JSON bodies of any length, written piece by piece: what a client has not read yet is not in
// memory, and no turn of the strand is long. A body of one piece is answered whole.

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
  // On the strand; done may be called on an archive's thread. Never called before the last one is
  // done, but the client may be gone by then: whoever works on a piece keeps the object.
  virtual void next(Done done) = 0;
};

// For admitted callers. An error of the first piece is answered; a later one cuts the body.
void answer_in_pieces(std::shared_ptr<Pieces> pieces, Call call);

// A list that is written on the strand: `write` appends to `text`, through the writer, until there
// are kTurnBytes, and says whether there is more. It remembers where it is.
inline constexpr std::size_t kTurnBytes = 16 * 1024;
using WriteSome =
    std::function<Result<bool>(engine::Engine&, JsonWriter& json, const std::string& text)>;
void answer_list(const Context& context, Call call, WriteSome write);

}  // namespace docket::metronome
