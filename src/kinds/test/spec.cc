#include "kinds/test/spec.h"

#include <boost/json/serialize.hpp>
#include <memory>
#include <set>
#include <utility>

#include "core/json_reader.h"
#include "core/json_writer.h"

namespace docket::kinds {
namespace {

using Body = model::SpecOf<TestSpec>;

constexpr const char* kOutcomes[] = {"done", "failed"};
constexpr const char* kWorks[] = {"process", "server"};
constexpr const char* kOnStops[] = {"stop", "drain", "await"};
constexpr const char* kOnLosts[] = {"fail", "restart"};
constexpr const char* kWaits[] = {"queue", "fail"};

void write_needs(JsonWriter& out, const TestNeeds& needs) {
  if (needs.cpus > 0) out.member("cpus", needs.cpus);
  if (needs.mem > 0) out.member("mem", needs.mem);
  if (needs.patience_s) out.member("patienceSeconds", *needs.patience_s);
  if (needs.locks.empty()) return;
  out.key("locks").begin_array();
  for (const model::LockRequest& lock : needs.locks) {
    out.begin_object().member("name", lock.name);
    out.member("wait", kWaits[static_cast<int>(lock.wait)]).end_object();
  }
  out.end_array();
}

void write_steps(JsonWriter& out, const std::vector<TestStep>& steps) {
  out.key("steps").begin_array();
  for (const TestStep& step : steps) {
    out.begin_object().member("name", step.name);
    if (step.seconds > 0) out.member("seconds", step.seconds);
    if (step.fails) out.member("outcome", kOutcomes[1]);
    if (step.folds) out.member("folds", true);
    if (step.in_server) out.member("work", kWorks[1]);
    if (step.parts > 0) out.member("parts", step.parts);
    if (!step.result.empty()) out.key("result").raw(step.result);
    write_needs(out, step.needs);
    if (!step.steps.empty()) write_steps(out, step.steps);
    out.end_object();
  }
  out.end_array();
}

void read_amount(JsonReader& in, const char* name, double& into, double most) {
  if (in.read(name, into) && (into < 0 || into > most)) {
    in.complain(name, "must be from 0 to " + std::to_string(static_cast<std::int64_t>(most)));
  }
}

void read_needs(JsonReader& in, TestNeeds& needs) {
  read_amount(in, "cpus", needs.cpus, 1e6);
  read_amount(in, "mem", needs.mem, 1e9);
  if (in.has("patienceSeconds")) {
    read_amount(in, "patienceSeconds", needs.patience_s.emplace(), kTestSecondsMax);
  }
  in.each("locks", [&](JsonReader& item) {
    model::LockRequest& lock = needs.locks.emplace_back();
    item.read_required("name", lock.name);
    lock.wait = static_cast<model::LockWait>(item.choice("wait", kWaits));
    item.finish();
  });
}

// What all steps have together.
struct Count {
  std::size_t steps = 0;
  std::size_t depth = 0;
};

void read_name(JsonReader& in, TestStep& step, std::set<std::string>& names) {
  if (!in.read_required("name", step.name)) return;
  const bool plain =
      !step.name.empty() && step.name.size() <= 64 && step.name.find('/') == std::string::npos;
  if (!plain) in.complain("name", "must be 1 to 64 bytes without '/'");
  if (!names.insert(step.name).second) in.complain("name", "is taken by another step");
}

void read_steps(JsonReader& in, std::vector<TestStep>& into, Count count, std::size_t& total) {
  std::set<std::string> names;
  if (++count.depth > kTestDepthMax) {
    return in.complain("steps", "are too deep: at most 64 levels");
  }
  in.each("steps", [&](JsonReader& item) {
    TestStep& step = into.emplace_back();
    ++total;
    read_name(item, step, names);
    read_amount(item, "seconds", step.seconds, kTestSecondsMax);
    step.fails = item.choice("outcome", kOutcomes) == 1;
    item.read("folds", step.folds);
    step.in_server = item.choice("work", kWorks) == 1;
    item.read("parts", step.parts, 0, kTestPartsMax);
    if (const auto* result = item.find("result")) step.result = boost::json::serialize(*result);
    read_needs(item, step.needs);
    if (item.has("steps")) read_steps(item, step.steps, count, total);
    const bool waits = step.needs.cpus > 0 || step.needs.mem > 0 || !step.needs.locks.empty();
    if (waits && !step.steps.empty())
      item.complain("steps", "must not be below a step with cpus, mem or locks of its own");
    item.finish();
  });
}

}  // namespace

void write_spec(JsonWriter& out, const TestSpec& spec) {
  out.begin_object();
  write_steps(out, spec.steps);
  out.member("concurrency", spec.concurrency).member("pauseSeconds", spec.pause_s);
  out.member("onStop", kOnStops[static_cast<int>(spec.on_stop)]);
  if (spec.stop_patience_s) out.member("stopPatienceSeconds", *spec.stop_patience_s);
  out.member("onLost", kOnLosts[spec.restarts_lost ? 1 : 0]);
  write_needs(out, spec.needs);
  out.end_object();
}

TestSpec read_test_spec(JsonReader& in) {
  TestSpec spec;
  std::size_t total = 0;
  in.require("steps");
  read_steps(in, spec.steps, {}, total);
  if (total > kTestStepsMax) in.complain("steps", "are too many: at most 10000");
  in.read("concurrency", spec.concurrency, 1, 1000);
  read_amount(in, "pauseSeconds", spec.pause_s, kTestSecondsMax);
  spec.on_stop = static_cast<OnStop>(in.choice("onStop", kOnStops));
  if (in.has("stopPatienceSeconds")) {
    read_amount(in, "stopPatienceSeconds", spec.stop_patience_s.emplace(), kTestSecondsMax);
  }
  spec.restarts_lost = in.choice("onLost", kOnLosts) == 1;
  read_needs(in, spec.needs);
  in.finish();
  return spec;
}

model::Spec spec_of(TestSpec test) {
  return {.kind = kTest, .body = std::make_shared<const Body>(std::move(test))};
}

const TestSpec& test_of(const model::Spec& spec) {
  return dynamic_cast<const Body&>(*spec.body).value;
}

}  // namespace docket::kinds
