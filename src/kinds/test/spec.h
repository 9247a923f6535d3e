#pragma once

// The spec of the kind `test`: a tree of steps described as data. For people without a cluster,
// and for docket's own tests.
//
//   {"steps": [{"name": "a", "steps": [{"name": "b", "seconds": 0.5}, {"name": "c", "outcome":
//   "failed"}]},
//              {"name": "d", "folds": true}, {"name": "e", "work": "server", "parts": 10,
//               "result": {"any": ["thing"]}}],
//    "concurrency": 2, "pauseSeconds": 0.1, "onStop": "await", "stopPatienceSeconds": 30,
//    "onLost": "restart",
//    "cpus": 0.1, "mem": 32, "locks": [{"name": "db"}], "patienceSeconds": 60}
//
// Leaves may have the members of the last line, too: then each waits by itself, and begins when it
// has what it needs, however many others work. A run with NOT_BEFORE=2026-11-28T21:00:00Z in its
// environment waits for that instant, and is not begun more than an hour after it. A run may be
// asked to `pause`, so that no step starts but those that wait by themselves, and to `resume`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/needs.h"
#include "model/spec.h"

namespace docket::kinds {

inline constexpr const char* kNotBefore = "NOT_BEFORE";

// What the run as a whole, or a leaf, waits for.
struct TestNeeds {
  double cpus = 0, mem = 0;  // cores, MiB
  std::vector<model::LockRequest> locks;
  std::optional<double> patience_s;  // absent: for ever
};

struct TestStep {
  std::string name;    // unique beside its siblings; keys join names: "a/b"
  double seconds = 0;  // of work, if there are no steps below it
  bool fails = false;  // its work fails
  bool folds = false;  // leaves memory when it ends
  // Work of the test executor, in the server: it reports progress, and ends with the server. Else
  // a process.
  bool in_server = false;
  std::int64_t parts = 0;  // in which it reports progress
  std::string result;      // JSON, of such work; empty: none
  TestNeeds needs = {};
  std::vector<TestStep> steps;
};

// The run ends at once; when what has started has ended; or when what was stopped has ended.
enum class OnStop { kStop, kDrain, kAwait };

struct TestSpec {
  std::vector<TestStep> steps;
  std::int64_t concurrency = 1;  // steps that work at one time
  double pause_s = 0;            // between two starts
  OnStop on_stop = OnStop::kStop;
  std::optional<double> stop_patience_s;  // for kAwait: what has not ended by then is lost
  bool restarts_lost = false;             // steps whose outcome is not known; else they fail
  TestNeeds needs = {};
};

inline constexpr const char* kTest = "test";
inline constexpr std::size_t kTestStepsMax = 10'000;
inline constexpr std::size_t kTestDepthMax = 64;
inline constexpr double kTestSecondsMax = 86'400;
inline constexpr std::int64_t kTestPartsMax = 1000;

void write_spec(JsonWriter& out, const TestSpec& spec);
TestSpec read_test_spec(JsonReader& in);
model::Spec spec_of(TestSpec test);
const TestSpec& test_of(const model::Spec& spec);  // of a spec of this kind

}  // namespace docket::kinds
