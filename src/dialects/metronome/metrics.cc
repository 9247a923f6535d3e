#include "dialects/metronome/metrics.h"

#include <fmt/format.h>

#include <cmath>

#include "core/json_writer.h"

namespace docket::metronome {
namespace {

constexpr std::array<double, 3> kWindowSeconds{60, 300, 900};

double seconds_of(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void write_counter(JsonWriter& json, const char* name, std::uint64_t count) {
  json.key(name).begin_object().member("count", count).end_object();
}

void write_gauge(JsonWriter& json, const char* name, double value) {
  json.key(name).begin_object().member("value", value).end_object();
}

void write_meter(JsonWriter& json, const std::string& name, const RateMeter& meter,
                 double uptime_seconds) {
  const double mean =
      uptime_seconds > 0 ? static_cast<double>(meter.count()) / uptime_seconds : 0.0;
  json.key(name).begin_object().member("count", meter.count());
  json.member("m1_rate", meter.rate(0)).member("m5_rate", meter.rate(1));
  json.member("m15_rate", meter.rate(2)).member("mean_rate", mean);
  json.member("units", "events/second").end_object();
}

}  // namespace

void RateMeter::read(std::uint64_t count, Time now) {
  const double elapsed = read_at_ == kNever ? 0.0 : seconds_of(now - read_at_);
  if (read_at_ == kNever || elapsed < 0) {
    count_ = count;
    read_at_ = now;
    return;
  }
  if (elapsed == 0.0) return;
  const double current = static_cast<double>(count - count_) / elapsed;
  for (std::size_t i = 0; i < rates_.size(); ++i) {
    rates_[i] += (1 - std::exp(-elapsed / kWindowSeconds[i])) * (current - rates_[i]);
  }
  count_ = count;
  read_at_ = now;
}

std::string metrics_body(const MetricsReading& reading, const std::array<RateMeter, 5>& responses) {
  std::string body;
  JsonWriter json(body);
  json.begin_object().member("version", "4.0.0").key("counters").begin_object();
  write_counter(json, "metronome.jobs.started.counter", reading.started_runs);
  write_counter(json, "metronome.jobs.failed.counter", reading.failed_runs);
  json.end_object().key("gauges").begin_object();
  write_gauge(json, "metronome.jobs.active.gauge", static_cast<double>(reading.active_runs));
  write_gauge(json, "metronome.uptime.gauge.seconds", reading.uptime_seconds);
  json.end_object().key("histograms").begin_object().end_object();
  json.key("meters").begin_object();
  for (std::size_t i = 0; reading.counts_responses && i < responses.size(); ++i) {
    write_meter(json, fmt::format("metronome.http.responses.{}xx.rate", i + 1), responses[i],
                reading.uptime_seconds);
  }
  json.end_object().key("timers").begin_object().end_object().end_object();
  return body;
}

}  // namespace docket::metronome
