#include "app/attempt_sweeper.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "exec/runner/log_files.h"

namespace docket::app {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> children(const fs::path& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    paths.push_back(it->path());
  }
  std::ranges::sort(paths);
  return paths;
}

std::optional<TaskId> token_of(const fs::path& path) {
  const std::string name = path.filename().string();
  TaskId token;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), token.value);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return token;
}

}  // namespace

fs::path sweep_next_shard(const fs::path& runner_dir, engine::Reader& reader,
                          const fs::path& last) {
  const std::vector<fs::path> shards = children(runner_dir / "attempts");
  const auto shard = std::ranges::upper_bound(shards, last);
  if (shard == shards.end()) return {};
  for (const fs::path& attempt : children(*shard)) {
    const auto token = token_of(attempt);
    if (!token) continue;
    const auto row = reader.task(*token);
    // Nothing is removed on a doubt: only when the store answered that there is no such task.
    if (row && !*row) (void)runner::remove_attempt_files(runner_dir, *token);
  }
  std::error_code not_empty;
  fs::remove(*shard, not_empty);
  return *shard;
}

TaskId highest_token(const fs::path& runner_dir) {
  TaskId highest_shard;
  TaskId highest;
  for (const fs::path& shard : children(runner_dir / "attempts")) {
    highest_shard = std::max(highest_shard, token_of(shard).value_or(TaskId{}));
  }
  for (const fs::path& attempt :
       children(runner_dir / "attempts" / std::to_string(highest_shard.value))) {
    highest = std::max(highest, token_of(attempt).value_or(TaskId{}));
  }
  return highest;
}

AttemptSweeper::AttemptSweeper(boost::asio::io_context& io, engine::Archive& archive,
                               fs::path runner_dir, std::chrono::milliseconds interval)
    : archive_(archive), dir_(std::move(runner_dir)), interval_(interval), timer_(io) {}

void AttemptSweeper::start() {
  timer_.expires_after(interval_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sweep();
    start();
  });
}

void AttemptSweeper::sweep() {
  if (last_.use_count() > 1) return;  // the last one is still at it
  archive_.read([dir = dir_, last = last_](engine::Reader& reader) {
    *last = sweep_next_shard(dir, reader, *last);
  });
}

}  // namespace docket::app
