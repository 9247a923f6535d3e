#include "dialects/native/log_streams.h"

#include <algorithm>
#include <utility>

namespace docket::native {

LogPart::LogPart(engine::Archive& archive, engine::Logs& logs, TaskId attempt,
                 engine::LogStream stream, engine::LogChunk first, std::uint64_t end)
    : archive_(archive),
      first_(std::move(first.data)),
      state_(std::make_shared<State>(State{.logs = logs,
                                           .attempt = attempt,
                                           .stream = stream,
                                           .offset = first.offset + first_.size(),
                                           .end = end})) {}

void LogPart::next(Next done) {
  if (!first_.empty()) return done(std::exchange(first_, {}));
  if (state_->offset >= state_->end) return done(std::nullopt);
  archive_.read(
      [state = state_, done = std::move(done)](engine::Reader&) { done(read_chunk(*state)); });
}

// Ends early if the log's next bytes have been dropped meanwhile.
std::optional<std::string> LogPart::read_chunk(State& state) {
  const auto size = std::min<std::uint64_t>(state.end - state.offset, kLogChunkBytes);
  auto chunk = state.logs.read(state.attempt, state.stream, state.offset, size);
  if (!chunk || chunk->data.empty() || chunk->offset != state.offset) return std::nullopt;
  state.offset += chunk->data.size();
  return std::move(chunk->data);
}

LogFollow::LogFollow(engine::Archive& archive, engine::Logs& logs, TaskId attempt,
                     engine::LogStream stream, std::uint64_t offset)
    : state_(std::make_shared<State>(State{.archive = archive,
                                           .logs = logs,
                                           .attempt = attempt,
                                           .stream = stream,
                                           .offset = offset})) {}

void LogFollow::next(Next done) {
  if (!state_->idle) return read(state_, std::move(done));
  state_->logs.when_grown(
      state_->attempt, state_->stream, state_->offset,
      [state = state_, done = std::move(done)]() mutable { read(state, std::move(done)); });
}

void LogFollow::read(const std::shared_ptr<State>& state, Next done) {
  state->archive.read([state, done = std::move(done)](engine::Reader& reader) {
    done(read_chunk(*state, reader));
  });
}

// The attempt's state is read before its log: once it has ended, all that it wrote is there.
std::optional<std::string> LogFollow::read_chunk(State& state, engine::Reader& reader) {
  const auto row = reader.task(state.attempt);
  const bool ended = !row || !*row || model::is_final((*row)->task.state);
  auto chunk = state.logs.read(state.attempt, state.stream, state.offset, kLogChunkBytes);
  if (!chunk && chunk.error().kind != ErrorKind::kNotFound) return std::nullopt;
  if (!chunk || chunk->data.empty()) {
    if (ended) return std::nullopt;
    state.idle = true;
    return std::string();  // sends nothing; the next call comes on the strand
  }
  state.idle = false;
  state.offset = chunk->offset + chunk->data.size();
  return std::move(chunk->data);
}

}  // namespace docket::native
