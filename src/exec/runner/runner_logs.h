#pragma once

// What attempts wrote, from the runner's files.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <functional>
#include <vector>

#include "engine/ports.h"

namespace docket::runner {

class RunnerLogs : public engine::Logs {
 public:
  RunnerLogs(boost::asio::io_context& io, std::filesystem::path runner_dir);
  Result<engine::LogChunk> read(TaskId attempt, engine::LogStream stream, std::uint64_t offset,
                                std::size_t max_bytes) override;
  void when_grown(TaskId attempt, engine::LogStream stream, std::uint64_t offset,
                  std::function<void()> done) override;
  void stop();  // no follower is called any more

 private:
  struct Watch {
    std::filesystem::path file;
    std::uint64_t offset = 0;
    int rounds_left = 0;
    std::function<void()> done;
  };
  std::filesystem::path path(TaskId attempt, engine::LogStream stream) const;
  void look();
  void wait();

  std::filesystem::path dir_;
  boost::asio::steady_timer timer_;
  std::vector<Watch> watches_;
};

}  // namespace docket::runner
