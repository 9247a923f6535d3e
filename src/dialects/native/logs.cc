// What attempts wrote to stdout and stderr: a part, the last lines, or a live stream.

#include <algorithm>
#include <utility>

#include "dialects/native/answer.h"
#include "dialects/native/log_streams.h"
#include "dialects/native/lookup.h"
#include "dialects/native/query.h"
#include "dialects/native/routes.h"

namespace docket::native {
namespace {

using engine::LogChunk;
using engine::LogStream;

constexpr std::uint64_t kPartDefault = 1U << 20U;            // bytes
constexpr std::uint64_t kPartMax = std::uint64_t{1} << 40U;  // sent piece by piece
constexpr std::uint64_t kTailMax = 1'000'000;                // lines

struct LogRequest {
  TaskId task;
  LogStream stream = LogStream::kStdout;
  std::uint64_t offset = 0;
  std::uint64_t limit = kPartDefault;
  std::optional<std::uint64_t> tail;
  bool follow = false;
};

// A run's log is that of its newest attempt.
Result<model::Task> find_attempt(engine::Reader& reader, const model::Task& task) {
  if (task.kind == model::TaskKind::kAttempt) return task;
  engine::TaskQuery query;
  query.parent = task.id;
  query.limit = 1;
  const auto newest = reader.tasks(query);
  if (!newest) return fail(newest.error());
  if (newest->empty()) {
    return fail(ErrorKind::kNotFound,
                "run '" + std::to_string(task.id.value) + "' has no attempt yet");
  }
  return newest->front().task;
}

// The logs of the executor that runs or ran the attempt; null if its attempts write none.
engine::Logs* logs_of(const engine::Executors& executors, const Result<model::Task>& attempt) {
  if (!attempt) return nullptr;
  engine::Executor* const executor = executors.find(model::executor_of(*attempt));
  return executor ? executor->logs() : nullptr;
}

// Reads until `limit` bytes are there or the log ends; the source may return less per call.
Result<LogChunk> read_part(engine::Logs& logs, TaskId attempt, LogStream stream,
                           std::uint64_t offset, std::uint64_t limit) {
  auto part = logs.read(attempt, stream, offset, limit);
  if (!part) return part;
  while (part->data.size() < limit && !part->data.empty()) {
    const auto at = part->offset + part->data.size();
    const auto more = logs.read(attempt, stream, at, limit - part->data.size());
    if (!more || more->data.empty() || more->offset != at) break;
    part->data += more->data;
    part->size = more->size;
  }
  return part;
}

// Where the last lines begin within the last `limit` bytes, searched from the end. A line break at
// the very end ends a line and does not begin one.
Result<std::uint64_t> find_tail(engine::Logs& logs, TaskId attempt, const LogRequest& wanted) {
  const auto whole = logs.read(attempt, wanted.stream, 0, 0);
  if (!whole) return fail(whole.error());
  const std::uint64_t first = whole->size - std::min(whole->size, wanted.limit);
  std::uint64_t lines = *wanted.tail;
  std::uint64_t end = whole->size;
  while (end > first && lines > 0) {
    const std::uint64_t begin = end - std::min<std::uint64_t>(end - first, kLogChunkBytes);
    const auto part = read_part(logs, attempt, wanted.stream, begin, end - begin);
    if (!part) return fail(part.error());
    const std::string& text = part->data;
    std::size_t at = text.size();
    if (end == whole->size && text.ends_with('\n')) --at;
    for (; at > 0; --at) {
      if (text[at - 1] == '\n' && --lines == 0) return part->offset + at;
    }
    if (part->offset > begin) return std::min(part->offset, end);  // older bytes were dropped
    end = begin;
  }
  return end;
}

http::Response text_response(TaskId task) {
  http::Response response{.content_type = "text/plain; charset=utf-8"};
  response.headers = {{"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Docket-Attempt", std::to_string(task.value)}};
  return response;
}

// A task that failed or was aborted before its command began wrote nothing. Its stderr is one line
// from docket that says why.
std::optional<http::Response> outcome_line(engine::Logs* logs, const model::Task& task,
                                           const Result<model::Task>& attempt, LogStream stream) {
  if (task.state != model::State::kFailed && task.state != model::State::kAborted) return {};
  if (logs && logs->read(attempt->id, stream, 0, 0)) return {};
  http::Response response = text_response(attempt ? attempt->id : task.id);
  if (stream == LogStream::kStderr) response.body = "docket: " + model::outcome_of(task) + "\n";
  return response;
}

Result<http::Response> show_log(engine::Archive& archive, engine::Logs& logs, TaskId attempt,
                                const LogRequest& wanted) {
  const auto first_bytes = std::min<std::uint64_t>(wanted.limit, kLogChunkBytes);
  auto first = read_part(logs, attempt, wanted.stream, wanted.offset, first_bytes);
  if (!first) return fail(first.error());
  http::Response response = text_response(attempt);
  response.headers.emplace_back("Docket-Log-Offset", std::to_string(first->offset));
  response.headers.emplace_back("Docket-Log-Size", std::to_string(first->size));
  const std::uint64_t end = std::min(first->size, first->offset + wanted.limit);
  if (first->offset + first->data.size() >= end) {
    response.body = std::move(first->data);
  } else {
    // Owned by the connection alone.
    response.stream =
        std::make_shared<LogPart>(archive, logs, attempt, wanted.stream, *std::move(first), end);
  }
  return response;
}

Result<http::Response> answer_log(engine::Archive& archive, engine::Reader& reader,
                                  const engine::Executors& executors, LogRequest wanted) {
  const auto row = read_task(reader, wanted.task);
  if (!row) return fail(row.error());
  const auto attempt = find_attempt(reader, row->task);
  engine::Logs* const logs = logs_of(executors, attempt);
  if (auto line = outcome_line(logs, row->task, attempt, wanted.stream)) return *std::move(line);
  if (!attempt) return fail(attempt.error());
  if (!logs) return fail(ErrorKind::kNotFound, "attempts of this kind write no log");
  if (wanted.tail) {
    const auto offset = find_tail(*logs, attempt->id, wanted);
    // An attempt that has not written yet has no files; a follower then gets everything from the
    // start.
    if (!offset && !wanted.follow) return fail(offset.error());
    wanted.offset = offset.value_or(0);
  }
  if (!wanted.follow) return show_log(archive, *logs, attempt->id, wanted);
  http::Response response = text_response(attempt->id);
  response.stream =
      std::make_shared<LogFollow>(archive, *logs, attempt->id, wanted.stream, wanted.offset);
  return response;
}

std::optional<LogStream> read_stream(const std::string& name) {
  if (name == "stdout") return LogStream::kStdout;
  if (name == "stderr") return LogStream::kStderr;
  return std::nullopt;
}

LogRequest read_request(Query& query) {
  LogRequest wanted;
  wanted.offset = query.number("offset", INT64_MAX).value_or(0);
  wanted.limit = query.number("limit", kPartMax).value_or(kPartDefault);
  wanted.tail = query.number("tail", kTailMax);
  wanted.follow = query.flag("follow");
  if (wanted.tail && query.text("offset")) query.complain("tail", "cannot be combined with offset");
  return wanted;
}

void get_log(const Context& door, const http::Request& request, http::Reply reply) {
  const auto id = parse_task_id(request.params[0]);
  const auto stream = read_stream(request.params[1]);
  if (!id) return reply(problem(no_such_task(request.params[0])));
  if (!stream) return reply(problem(404, "the logs of a task are stdout and stderr"));
  Query query(request);
  LogRequest wanted = read_request(query);
  wanted.task = *id;
  wanted.stream = *stream;
  if (!query.ok()) return reply(bad_query(query.errors()));
  door.archive.read([wanted, &archive = door.archive, &executors = door.loop.executors(),
                     reply = std::move(reply)](engine::Reader& reader) {
    auto response = answer_log(archive, reader, executors, wanted);
    reply(response ? *std::move(response) : problem(response.error()));
  });
}

}  // namespace

Routes log_routes(const ContextPtr& door) {
  return {route(door, "GET", "/tasks/{task}/logs/{stream}", get_log)};
}

}  // namespace docket::native
