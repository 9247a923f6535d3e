#pragma once

// One job with its runs, or all jobs that the caller may read, as JSON piece by piece. A page of
// what the engine knows is taken on the strand, by reference where it cannot change. It is written
// on an archive's thread, which also reads the history. In order of id: a job that is added or
// removed meanwhile is shown once or not at all.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dialects/metronome/pieces.h"
#include "dialects/metronome/render.h"

namespace docket::metronome {

class JobPieces final : public Pieces, public std::enable_shared_from_this<JobPieces> {
 public:
  // `only`: this job; kNotFound if it does not exist or may not be seen, which look the same here
  // (section 9). The loop and the archive outlive the server's connections.
  JobPieces(const Context& context, http::IdentityPtr caller, Embeds embeds,
            std::optional<std::string> only);
  void next(Done done) override;

 private:
  // The remaining runs of a job that did not fit.
  struct Rest {
    model::JobPtr job;
    model::JobStats stats;
    TaskId after;
  };

  // On the strand.
  Result<bool> take(engine::Engine& engine, Time now);
  void take_all(const engine::Engine& engine);
  void take_job(const engine::JobEntry& entry, const engine::Engine& engine);
  void take_rest(const engine::Engine& engine);
  void take_runs(JobPart part, const engine::JobEntry& entry, TaskId after);

  // On any thread; without history no reader is needed.
  Result<Piece> write(engine::Reader* reader);
  void write_on_archive(Done done);

  engine::Loop& loop_;
  engine::Archive& archive_;
  const std::uint32_t history_limit_;
  const http::IdentityPtr caller_;
  const Embeds embeds_;
  const std::optional<std::string> only_;

  // The page being written, and where the next one begins.
  std::vector<JobPart> parts_;
  std::size_t written_ = 0;  // how many of them are written
  std::size_t room_ = 0;     // left in the page being taken
  Time now_ = kNever;
  std::string last_job_;
  std::optional<Rest> rest_;
  bool more_ = true;  // after this page

  bool begun_ = false;
  std::string text_;
  JsonWriter json_{text_};  // keeps track of commas across pieces
};

}  // namespace docket::metronome
