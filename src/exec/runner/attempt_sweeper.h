#pragma once

// Removes the files of attempts whose task the store has forgotten (retention).

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "engine/ports.h"

namespace docket::runner {

// Rounds over the runner's directory. Retention goes by age and tokens rise, so a round begins at
// the oldest shard and goes on until many attempts in a row are still wanted; then it looks at one
// shard of the rest, another one each round. So the cost follows what is removed. Any thread, one
// at a time.
class SweepRounds {
 public:
  explicit SweepRounds(std::filesystem::path runner_dir, std::size_t enough_wanted = 1000)
      : dir_(std::move(runner_dir)), enough_wanted_(enough_wanted) {}

  // Looks at that many attempts. False: the round is over, and the next call begins another one.
  // Blocks.
  bool go_on(engine::Reader& reader, std::size_t attempts);

 private:
  void begin();
  bool next_shard();
  void leave_shard();
  void look_at(TaskId attempt, engine::Reader& reader);

  std::filesystem::path dir_;
  std::size_t enough_wanted_;
  bool under_way_ = false;
  std::vector<std::uint64_t> shards_;  // yet to come in this round, the oldest last
  std::filesystem::path shard_;
  std::vector<TaskId> attempts_;  // yet to come in shard_, the oldest last
  std::size_t wanted_in_a_row_ = 0;
  bool in_the_rest_ = false;
  std::uint64_t rest_from_ = 0;  // where the next round looks at the rest
};

// The highest token that this runner directory has seen, none when it is new. A store restored from
// a backup knows fewer; it must not give out those numbers again, since the runner would take new
// attempts for old ones.
TaskId highest_token(const std::filesystem::path& runner_dir);

// Starts a round at every interval, in slices on a read thread, with pauses in which others read.
class AttemptSweeper {
 public:
  AttemptSweeper(boost::asio::io_context& io, engine::Archive& archive,
                 std::filesystem::path runner_dir, std::chrono::milliseconds interval);
  void start();

 private:
  // Shared with the slice that is under way, which alone uses it while it is busy.
  struct Work {
    explicit Work(std::filesystem::path runner_dir) : rounds(std::move(runner_dir)) {}
    SweepRounds rounds;
    bool more = false;
    std::atomic<bool> busy = false;
  };
  void wait(std::chrono::milliseconds delay);
  void on_time();
  void start_slice();

  engine::Archive& archive_;
  std::chrono::milliseconds interval_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Work> work_;
  bool in_round_ = false;
};

}  // namespace docket::runner
