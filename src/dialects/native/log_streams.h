#pragma once

// Logs as streams, read at the client's pace: one chunk at a time, nothing is buffered.

#include <cstdint>
#include <memory>

#include "core/ids.h"
#include "engine/ports.h"
#include "http/message.h"

namespace docket::native {

inline constexpr std::size_t kLogChunkBytes = 64 * 1024;

// The rest of a part, up to `end`, after a first chunk that has already been read.
class LogPart final : public http::BodyStream {
 public:
  LogPart(engine::Archive& archive, engine::Logs& logs, TaskId attempt, engine::LogStream stream,
          engine::LogChunk first, std::uint64_t end);
  void next(Next done) override;

 private:
  // Shared with the read in flight, which may outlive the client.
  struct State {
    engine::Logs& logs;
    TaskId attempt;
    engine::LogStream stream;
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
  };
  static std::optional<std::string> read_chunk(State& state);

  engine::Archive& archive_;
  std::string first_;
  std::shared_ptr<State> state_;
};

// Follows a log while it is written; ends once the attempt has ended and everything is sent.
class LogFollow final : public http::BodyStream {
 public:
  LogFollow(engine::Archive& archive, engine::Logs& logs, TaskId attempt, engine::LogStream stream,
            std::uint64_t offset);
  void next(Next done) override;

 private:
  // Shared with the read in flight and the wait for growth, which may outlive the client. Only one
  // of them exists at a time, and next() is not called while one does.
  struct State {
    engine::Archive& archive;
    engine::Logs& logs;
    TaskId attempt;
    engine::LogStream stream;
    std::uint64_t offset = 0;
    bool idle = false;  // the last read found nothing: wait before the next
  };
  static void read(const std::shared_ptr<State>& state, Next done);
  static std::optional<std::string> read_chunk(State& state, engine::Reader& reader);

  std::shared_ptr<State> state_;
};

}  // namespace docket::native
