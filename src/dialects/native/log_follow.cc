#include "dialects/native/log_follow.h"

#include <utility>

namespace docket::native {

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

// The attempt's state is read before its log: what an ended attempt wrote is all there.
std::optional<std::string> LogFollow::read_chunk(State& state, engine::Reader& reader) {
  const auto row = reader.task(state.attempt);
  const bool ended = !row || !*row || model::is_final((*row)->task.state);
  auto chunk = state.logs.read(state.attempt, state.stream, state.offset, kChunkBytes);
  if (!chunk && chunk.error().kind != ErrorKind::kNotFound) return std::nullopt;
  if (!chunk || chunk->data.empty()) {
    if (ended) return std::nullopt;
    state.idle = true;
    return std::string();  // sends nothing, and brings the next call to the strand
  }
  state.idle = false;
  state.offset = chunk->offset + chunk->data.size();
  return std::move(chunk->data);
}

}  // namespace docket::native
