// exec/runner/wire: frames that a peer may send. Whatever is taken can be sent again unchanged,
// and a frame cut short is never taken.

#include "exec/runner/wire.h"
#include "fuzz/fuzz.h"

namespace docket::fuzz {
namespace {

namespace wire = runner::wire;

constexpr std::size_t kMaxFrame = 1U << 20U;

std::string written(const wire::Message& message) {
  std::string out;
  std::visit(
      [&out](const auto& body) {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, wire::Start>) {
          wire::append(out, body.token, body.spec);
        } else if constexpr (std::is_same_v<Body, wire::Report>) {
          wire::append(out, body.report);
        } else {
          wire::append(out, body);
        }
      },
      message);
  return out;
}

void check_message(const wire::Message& message) {
  const std::string frame = written(message);
  std::string_view in = frame;
  const auto again = wire::take(in, kMaxFrame);
  require(again && *again && in.empty(), "what was written is one frame");
  require((*again)->index() == message.index(), "of the same type");
  require(written(**again) == frame, "taken and written again is the same");
  for (std::size_t size = 0; size < frame.size(); size += 1 + frame.size() / 16) {
    std::string_view part = std::string_view(frame).substr(0, size);
    const auto taken = wire::take(part, kMaxFrame);
    require(taken && !*taken && part.size() == size, "a part of a frame waits for the rest");
  }
  std::string longer = frame + "x";
  ++longer[0];  // the length; if it carries, it is another frame, which is incomplete
  in = longer;
  require(!wire::take(in, kMaxFrame).value_or(std::nullopt), "nothing may follow in a frame");
}

// The stream in pieces: the same frames, the same end.
std::size_t frames_in_pieces(std::string_view bytes, std::size_t size) {
  std::string pending;
  std::size_t frames = 0;
  for (std::size_t at = 0; at < bytes.size(); at += size) {
    pending += bytes.substr(at, size);
    for (std::string_view in = pending;;) {
      const auto taken = wire::take(in, kMaxFrame);
      if (!taken) return frames;
      pending.erase(0, pending.size() - in.size());
      if (!*taken) break;
      in = pending;
      ++frames;
    }
  }
  return frames;
}

void run(std::string_view input) {
  std::string_view in = input;
  std::size_t frames = 0;
  for (;;) {
    const std::size_t before = in.size();
    const auto taken = wire::take(in, kMaxFrame);
    if (!taken || !*taken) {
      require(in.size() == before, "nothing is used of what is not taken");
      break;
    }
    require(in.size() < before, "a frame has a size");
    check_message(**taken);
    ++frames;
  }
  require(frames_in_pieces(input, 7) == frames, "pieces do not change what is read");
}

const Target kTarget("wire", run);

}  // namespace
}  // namespace docket::fuzz
