#include "exec/runner/attempt_sweeper.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "exec/runner/log_files.h"

namespace docket::runner {
namespace {

namespace fs = std::filesystem;

// Some 3,000 attempts a second. A slice is a few milliseconds, so that nobody waits for a reader.
constexpr std::size_t kSlice = 32;
constexpr std::chrono::milliseconds kPause{10};

// The numbers with which names in a directory begin, each once, the highest first. A shard is a
// number, and what belongs to an attempt is its token and perhaps a suffix.
std::vector<std::uint64_t> numbers_in(const fs::path& directory) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const char* const stop = name.data() + std::min(name.find('.'), name.size());
    std::uint64_t number = 0;
    const auto [at, wrong] = std::from_chars(name.data(), stop, number);
    if (wrong == std::errc{} && at == stop) numbers.push_back(number);
  }
  std::ranges::sort(numbers, std::greater{});
  const auto repeated = std::ranges::unique(numbers);
  numbers.erase(repeated.begin(), repeated.end());
  return numbers;
}

}  // namespace

bool SweepRounds::go_on(engine::Reader& reader, std::size_t attempts) {
  if (!under_way_) begin();
  for (; attempts > 0; --attempts) {
    while (attempts_.empty()) {
      if (!next_shard()) return under_way_ = false;
    }
    const TaskId attempt = attempts_.back();
    attempts_.pop_back();
    look_at(attempt, reader);
  }
  return true;
}

void SweepRounds::begin() {
  under_way_ = true;
  shards_ = numbers_in(dir_ / "attempts");
  wanted_in_a_row_ = 0;
  in_the_rest_ = false;
}

bool SweepRounds::next_shard() {
  leave_shard();
  if (in_the_rest_ || shards_.empty()) return false;
  auto next = std::prev(shards_.end());
  if (wanted_in_a_row_ >= enough_wanted_) {
    in_the_rest_ = true;
    const auto from = std::find_if(shards_.rbegin(), shards_.rend(),
                                   [this](std::uint64_t shard) { return shard >= rest_from_; });
    if (from != shards_.rend()) next = std::prev(from.base());
    rest_from_ = *next + 1;
  }
  shard_ = dir_ / "attempts" / std::to_string(*next);
  shards_.erase(next);
  for (const std::uint64_t token : numbers_in(shard_)) attempts_.push_back(TaskId{token});
  return true;
}

// An empty one goes; while others are in it this fails, as it should.
void SweepRounds::leave_shard() {
  std::error_code not_empty;
  if (!shard_.empty()) fs::remove(shard_, not_empty);
  shard_.clear();
}

// In doubt nothing is removed: only if the store answered that there is no such task.
void SweepRounds::look_at(TaskId attempt, engine::Reader& reader) {
  const auto row = reader.task(attempt);
  if (row && !*row && remove_attempt_files(dir_, attempt)) {
    wanted_in_a_row_ = 0;
  } else {
    ++wanted_in_a_row_;
  }
}

TaskId highest_token(const fs::path& runner_dir) {
  const auto shards = numbers_in(runner_dir / "attempts");
  if (shards.empty()) return {};
  const auto tokens = numbers_in(runner_dir / "attempts" / std::to_string(shards.front()));
  return tokens.empty() ? TaskId{} : TaskId{tokens.front()};
}

AttemptSweeper::AttemptSweeper(boost::asio::io_context& io, engine::Archive& archive,
                               fs::path runner_dir, std::chrono::milliseconds interval)
    : archive_(archive),
      interval_(interval),
      timer_(io),
      work_(std::make_shared<Work>(std::move(runner_dir))) {}

void AttemptSweeper::start() { wait(interval_); }

void AttemptSweeper::wait(std::chrono::milliseconds delay) {
  timer_.expires_after(delay);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_time();
  });
}

void AttemptSweeper::on_time() {
  const bool busy = work_->busy.load(std::memory_order_acquire);
  if (!busy && in_round_ && !work_->more) {
    in_round_ = false;
    return wait(interval_);
  }
  if (!busy) start_slice();
  wait(kPause);
}

void AttemptSweeper::start_slice() {
  in_round_ = true;
  work_->busy.store(true, std::memory_order_relaxed);
  archive_.read([work = work_](engine::Reader& reader) {
    work->more = work->rounds.go_on(reader, kSlice);
    work->busy.store(false, std::memory_order_release);
  });
}

}  // namespace docket::runner
