#include "dialects/metronome/pieces.h"

#include <utility>

#include "core/json_writer.h"

namespace docket::metronome {
namespace {

class PieceStream final : public http::BodyStream {
 public:
  PieceStream(std::shared_ptr<Pieces> pieces, std::string first)
      : pieces_(std::move(pieces)), first_(std::move(first)) {}

  void next(Next done) override {
    if (!first_.empty()) return done(std::exchange(first_, {}));
    if (*ended_) return done(std::nullopt);
    pieces_->next([ended = ended_, done = std::move(done)](Result<Piece> piece) {
      *ended = !piece || !piece->more;
      if (!piece) return done(std::nullopt);  // the client sees that the list is cut
      done(std::move(piece->text));
    });
  }

 private:
  std::shared_ptr<Pieces> pieces_;  // shared with the work on a piece
  std::string first_;
  std::shared_ptr<bool> ended_ = std::make_shared<bool>(false);  // shared likewise
};

class ListPieces final : public Pieces, public std::enable_shared_from_this<ListPieces> {
 public:
  ListPieces(engine::Loop& loop, WriteSome write) : loop_(loop), write_(std::move(write)) {}

  void next(Done done) override {
    loop_.call<Piece>(
        [self = shared_from_this()](engine::Engine& engine, Time) -> Result<Piece> {
          const auto more = self->write_(engine, self->json_, self->text_);
          if (!more) return fail(more.error());
          return Piece{.text = std::exchange(self->text_, {}), .more = *more};
        },
        std::move(done));
  }

 private:
  engine::Loop& loop_;
  const WriteSome write_;
  std::string text_;
  JsonWriter json_{text_};  // keeps track of commas across pieces
};

}  // namespace

void answer_in_pieces(std::shared_ptr<Pieces> pieces, Call call) {
  Pieces& first = *pieces;
  first.next([pieces = std::move(pieces), reply = std::move(call.reply),
              names = std::move(call.names)](Result<Piece> piece) {
    if (!piece) return reply(error_response(piece.error(), names));
    if (!piece->more) return reply(json_response(200, std::move(piece->text)));
    http::Response response = json_response(200, {});
    response.stream = std::make_shared<PieceStream>(pieces, std::move(piece->text));
    reply(std::move(response));
  });
}

void answer_list(const Context& context, Call call, WriteSome write) {
  if (!admit(call)) return;
  answer_in_pieces(std::make_shared<ListPieces>(context.loop, std::move(write)), std::move(call));
}

}  // namespace docket::metronome
