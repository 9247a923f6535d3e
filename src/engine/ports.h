#pragma once

// The remaining ports of the engine's strand: where ticks are committed, and what wakes it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/time.h"
#include "engine/batch.h"
#include "engine/store.h"

namespace docket::engine {

// Commits ticks off the strand, one at a time, in order; done is called back on the strand.
class Committer {
 public:
  using Done = std::function<void(Result<>)>;
  virtual ~Committer() = default;
  virtual void commit(std::shared_ptr<const Batch> batch,
                      Done done) = 0;  // shared: kept by the loop for a retry
};

// The event loop of the strand.
class Reactor {
 public:
  virtual ~Reactor() = default;
  virtual void post(std::function<void()> work) = 0;  // after what is ready now; any thread
  // One timer; arming again replaces it. Wall time: the reactor must also wake within a second of a
  // clock step.
  virtual void arm(Time when, std::function<void()> work) = 0;
};

// History and other long reads, off the strand.
class Archive {
 public:
  virtual ~Archive() = default;
  // Runs work on a read thread with a connection of its own. Sees everything that was durable when
  // this was called.
  virtual void read(std::function<void(Reader&)> work) = 0;
};

enum class LogStream { kStdout, kStderr };

struct LogChunk {
  std::uint64_t offset = 0;  // of data's first byte in the whole stream; later than asked if the
                             // oldest part was dropped
  std::uint64_t size = 0;    // of the whole stream so far
  std::string data;
};

// What attempts wrote.
class Logs {
 public:
  virtual ~Logs() = default;
  // Blocks; any thread. A stream that has nothing yet is an empty chunk; kNotFound when the files
  // are gone or never were.
  virtual Result<LogChunk> read(TaskId attempt, LogStream stream, std::uint64_t offset,
                                std::size_t max_bytes) = 0;
  // Calls done once, on the strand, when the stream may have grown beyond offset, or after about a
  // second at the latest.
  virtual void when_grown(TaskId attempt, LogStream stream, std::uint64_t offset,
                          std::function<void()> done) = 0;
};

}  // namespace docket::engine
