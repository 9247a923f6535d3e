#pragma once

// Removes the files of attempts whose task the store has forgotten (retention). Walks the runner's
// directory one shard of a thousand attempts at a time, on a read thread, so that it is never a
// burst.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <filesystem>
#include <memory>

#include "engine/ports.h"

namespace docket::app {

// Removes what is left of forgotten attempts in the first shard after `last`; gives the shard
// looked at, empty at the end of the round. Blocks.
std::filesystem::path sweep_next_shard(const std::filesystem::path& runner_dir,
                                       engine::Reader& reader, const std::filesystem::path& last);

// The highest token that this runner directory has seen, none when it is new. A store restored from
// a backup knows fewer; it must not give out those numbers again, since the runner would take new
// attempts for old ones.
TaskId highest_token(const std::filesystem::path& runner_dir);

class AttemptSweeper {
 public:
  AttemptSweeper(boost::asio::io_context& io, engine::Archive& archive,
                 std::filesystem::path runner_dir, std::chrono::milliseconds interval);
  void start();

 private:
  void sweep();

  engine::Archive& archive_;
  std::filesystem::path dir_;
  std::chrono::milliseconds interval_;
  boost::asio::steady_timer timer_;
  // Shared with the read that is under way; only one is at a time.
  std::shared_ptr<std::filesystem::path> last_ = std::make_shared<std::filesystem::path>();
};

}  // namespace docket::app
