#pragma once

// One job with its runs, or all that the caller may read, as JSON piece by piece: a page of what
// the engine knows is taken on the strand, by reference where it cannot change, and written on an
// archive's thread, which reads the history too. By id: jobs that come and go meanwhile are shown
// or not, each once.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dialects/metronome/pieces.h"
#include "dialects/metronome/render.h"

namespace docket::metronome {

class JobPieces final : public Pieces, public std::enable_shared_from_this<JobPieces> {
 public:
  // `only`: this job; kNotFound when it is not there or may not be seen, which is the same here
  // (section 9). The loop and the archive outlive the server's connections.
  JobPieces(const Context& context, http::IdentityPtr caller, Embeds embeds,
            std::optional<std::string> only);
  void next(Done done) override;

 private:
  // Of the job whose runs did not fit.
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

  // Anywhere; without history no reader is needed.
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
  std::size_t written_ = 0;  // of them
  std::size_t room_ = 0;     // left in the page while it is taken
  Time now_ = kNever;
  std::string last_job_;
  std::optional<Rest> rest_;
  bool more_ = true;  // behind this page

  bool begun_ = false;
  std::string text_;
  JsonWriter json_{text_};  // knows from piece to piece whether a comma is due
};

}  // namespace docket::metronome
