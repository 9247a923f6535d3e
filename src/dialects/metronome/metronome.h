#pragma once

// The door for DC/OS Jobs (Metronome): translates HTTP into commands of the engine, and nouns into
// its JSON. The contract is metronome.md in the reference; docs/differences-metronome.md says where
// this door departs from it.
//
// Where to start reading: routes.h (handlers), input.h (bodies to nouns, three stages of
// validation), render.h (nouns to JSON), status.h (names of states), errors.h (every error body).
//
// Thread rule: handlers are called on the engine's strand. History is read on the archive's threads
// and answered from there. The loop and the archive outlive the door.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"
#include "engine/loop.h"
#include "engine/ports.h"
#include "http/door.h"

namespace docket::metronome {

struct MetronomeSettings {
  std::string version = "0.6.70";  // of the API, as clients see it
  std::string library_version = "1.7.202";
  std::string leader = "127.0.0.1:9000";  // host:port that /leader names; empty: none
  Time started_at = kNever;               // of this server, for its uptime
  std::uint32_t history_limit = 1000;     // finished runs shown of each kind
  std::vector<std::pair<std::string, std::string>> config;  // shown by /info
  // Responses sent so far with statuses 1xx to 5xx; may be empty. Called on the strand.
  std::function<std::array<std::uint64_t, 5>()> http_responses;
};

// Shared: the door is mounted on its own port and on the hub.
std::shared_ptr<const http::Door> make_metronome_door(engine::Loop& loop, engine::Archive& archive,
                                                      const MetronomeSettings& settings);

}  // namespace docket::metronome
