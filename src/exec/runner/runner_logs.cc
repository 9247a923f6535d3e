#include "exec/runner/runner_logs.h"

#include <algorithm>
#include <utility>

#include "exec/runner/log_files.h"
#include "exec/runner/log_reader.h"

namespace docket::runner {
namespace {

// Files are looked at this often, all together, only while somebody follows one.
constexpr std::chrono::milliseconds kLookInterval{50};
constexpr int kRounds = 20;  // then the follower is called anyway

}  // namespace

RunnerLogs::RunnerLogs(boost::asio::io_context& io, std::filesystem::path runner_dir)
    : dir_(std::move(runner_dir)), timer_(io) {}

Result<engine::LogChunk> RunnerLogs::read(TaskId attempt, engine::LogStream stream,
                                          std::uint64_t offset, std::size_t max_bytes) {
  auto chunk = read_log(path(attempt, stream), offset, max_bytes);
  if (!chunk) return fail(chunk.error());
  return engine::LogChunk{chunk->offset, chunk->size, std::move(chunk->data)};
}

void RunnerLogs::when_grown(TaskId attempt, engine::LogStream stream, std::uint64_t offset,
                            std::function<void()> done) {
  watches_.push_back({path(attempt, stream), offset, kRounds, std::move(done)});
  if (watches_.size() == 1) wait();
}

void RunnerLogs::stop() {
  watches_.clear();
  timer_.cancel();
}

void RunnerLogs::wait() {
  timer_.expires_after(kLookInterval);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look();
  });
}

void RunnerLogs::look() {
  std::vector<std::function<void()>> grown;
  std::erase_if(watches_, [&](Watch& watch) {
    std::error_code error;
    const auto size = std::filesystem::file_size(watch.file, error);
    if (!error && size <= watch.offset && --watch.rounds_left > 0) return false;
    grown.push_back(std::move(watch.done));
    return true;
  });
  if (!watches_.empty()) wait();
  for (const auto& done : grown) done();
}

std::filesystem::path RunnerLogs::path(TaskId attempt, engine::LogStream stream) const {
  return stream == engine::LogStream::kStdout ? stdout_path(dir_, attempt)
                                              : stderr_path(dir_, attempt);
}

}  // namespace docket::runner
