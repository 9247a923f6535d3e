#include "dialects/native/read_task.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <utility>

#include "core/json.h"
#include "core/json_reader.h"
#include "core/text.h"
#include "dialects/native/body.h"

namespace docket::native {
namespace {

namespace json = boost::json;

constexpr std::int64_t kLaneMax = 1'000'000;
constexpr std::int64_t kLeaseMax = 366LL * 24 * 3600;
constexpr std::size_t kMessageMax = 8192;  // bytes
constexpr std::int64_t kAgoMaxS = 366LL * 24 * 3600;

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// Ids are strings in this API; numbers are accepted too.
std::string text_of_id(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64() && value.get_int64() > 0) return std::to_string(value.get_int64());
  return {};
}

std::optional<TaskRef> read_ref(JsonReader& body, std::string_view name,
                                std::string* text = nullptr) {
  const json::value* value = body.find(name);
  if (!value) return std::nullopt;
  std::string written = text_of_id(*value);
  auto ref = parse_task_ref(written);
  if (!ref) body.complain(name, "must be the number or the UUID of a task");
  if (text) *text = std::move(written);
  return ref;
}

void read_figures(JsonReader& body, engine::Report& into) {
  body.read_amount("completed", into.completed);
  body.read_amount("total", into.total);
}

void read_operation(JsonReader& body, model::Operation& into) {
  body.read("uuid", into.uuid);
  body.read("module", into.module);
  body.read("type", into.type);
  body.read("scope", into.scope);
  body.read("keyspace", into.keyspace);
  body.read("table", into.table);
  body.read("entity", into.entity);
  body.read("units", into.units);
  body.read("labels", into.labels);
  std::int64_t lane = 0;
  if (body.read("lane", lane, 0, kLaneMax)) into.lane = static_cast<std::uint32_t>(lane);
  body.read_amount("expected", into.expected);
  std::int64_t lease = 0;
  if (body.read("leaseSeconds", lease, 0, kLeaseMax)) into.lease = std::chrono::seconds{lease};
  body.read("abortable", into.abortable);
  body.read("user", into.user);
  body.read("internal", into.internal);
  body.read("cluster", into.cluster);
}

void read_progress(JsonReader& body, NewTask& into) {
  if (!body.has("progress")) return;
  JsonReader progress = body.inside("progress");
  read_figures(progress, into.progress);
  progress.finish();
}

std::string read_message(JsonReader& body, std::string_view name) {
  std::string said;
  body.read(name, said);
  if (said.size() > kMessageMax) {
    body.complain(name, fmt::format("must have at most {} bytes", kMessageMax));
  }
  if (const char* flaw = flaw_of(said, TextUse::kScript)) body.complain(name, flaw);
  return said;
}

// How long ago something happened: a duration, because the client's clock may differ from ours.
Duration read_ago(JsonReader& body, std::string_view name) {
  std::optional<double> seconds;
  if (!body.read_amount(name, seconds)) return {};
  if (*seconds <= static_cast<double>(kAgoMaxS)) {
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(*seconds));
  }
  body.complain(name, fmt::format("must be at most {}", kAgoMaxS));
  return {};
}

}  // namespace

Result<NewTask> read_new_task(std::string_view text) {
  return read_body(text, [](JsonReader& body) {
    NewTask made;
    made.parent = read_ref(body, "parent");
    if (!body.has("parent")) body.require("module");  // a child has its parent's
    read_operation(body, made.what);
    body.read("begin", made.begins);
    made.began_ago = read_ago(body, "beganSecondsAgo");
    read_progress(body, made);
    return made;
  });
}

Result<engine::Report> read_report(std::string_view text) {
  if (is_blank(text)) return engine::Report{};
  return read_body(text, [](JsonReader& body) {
    engine::Report report;
    read_figures(body, report);
    return report;
  });
}

Result<std::vector<ReportOf>> read_reports(std::string_view text) {
  const auto value = parse_json(text);
  if (!value) return fail(value.error());
  const json::array* items = value->if_array();
  if (!items || items->size() > kReportsMax) {
    return fail(invalid_body(
        {{.path = "", .errors = {fmt::format("must be an array of at most {}", kReportsMax)}}}));
  }
  JsonComplaints complaints;
  std::vector<ReportOf> reports;
  reports.reserve(items->size());
  JsonReader::each_of(*items, complaints, [&](JsonReader& body) {
    ReportOf& report = reports.emplace_back();
    body.require("task");
    if (auto ref = read_ref(body, "task", &report.name)) report.task = *std::move(ref);
    read_figures(body, report.report);
    body.finish();
  });
  if (!complaints.list.empty()) return fail(invalid_body(complaints));
  return reports;
}

Result<std::string> read_note(std::string_view text) {
  return read_body(text, [](JsonReader& body) {
    std::string message = read_message(body, "message");
    if (message.empty()) body.complain("message", "must not be empty");
    return message;
  });
}

Result<Finish> read_finish(std::string_view text) {
  if (is_blank(text)) return Finish{};
  return read_body(text, [](JsonReader& body) {
    Finish finish;
    finish.error = read_message(body, "error");
    finish.ended_ago = read_ago(body, "endedSecondsAgo");
    return finish;
  });
}

}  // namespace docket::native
