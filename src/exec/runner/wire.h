#pragma once

// The protocol between server and runner: frames over a unix stream socket, each u32 length
// (little endian, of what follows), u8 type, body. Numbers in bodies are LEB128, signed ones
// zigzag; texts carry their length. The first frame of each side is Hello; the version rises when
// a frame changes meaning, and a runner refuses other versions by name. Values of env and secrets
// pass through here and memory only. Pure; any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/executor.h"
#include "exec/runner/launch.h"

namespace docket::runner::wire {

inline constexpr std::uint64_t kVersion = 1;

struct Hello {
  std::uint64_t version = kVersion;
  // Of the runner: how limits are enforced here, or why not. Of a server: its epoch, as greeting()
  // says it, or nothing.
  std::string status = {};
};
struct Start {
  TaskId token;
  LaunchSpec spec;
};
struct Stop {
  TaskId token;
  std::optional<Duration> grace;
};
struct Forget {
  std::vector<TaskId> tokens;
};
struct Find {
  std::uint64_t request = 0;
  std::vector<TaskId> tokens;
};
struct Report {
  engine::AttemptReport report;
};
struct Found {
  std::uint64_t request = 0;
  std::vector<engine::AttemptReport> reports;
};

Hello greeting(std::uint64_t epoch);
std::uint64_t epoch_of(const Hello& greeting);  // 0: none

using Message = std::variant<Hello, Start, Stop, Forget, Find, Report, Found>;

void append(std::string& out, const Hello& message);
void append(std::string& out, TaskId token,
            const LaunchSpec& spec);  // a Start, without a copy of the spec
void append(std::string& out, const Stop& message);
void append(std::string& out, const Forget& message);
void append(std::string& out, const Find& message);
void append(std::string& out, const engine::AttemptReport& report);
void append(std::string& out, const Found& message);

// Takes one frame off the front of in. Nothing yet: nullopt. A frame too long or malformed:
// kInvalid, drop the peer.
Result<std::optional<Message>> take(std::string_view& in, std::size_t max_frame_bytes);

}  // namespace docket::runner::wire
