#include "dialects/metronome/stored_runs.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "core/json_writer.h"
#include "dialects/metronome/render.h"

namespace docket::metronome {
namespace {

// A page of this many bytes ends early: a run may have a thousand attempts.
constexpr std::size_t kFullPageBytes = std::size_t{1} << 20U;

Result<TaskId> id_of_run(engine::Reader& reader, JobUid job, const std::string& name) {
  engine::TaskQuery query;
  query.parent = TaskId{};
  query.job = job;
  query.name = name;
  query.limit = 1;
  const auto rows = reader.tasks(query);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::kNotFound, "no such run");
  return rows->front().task.id;
}

Result<std::vector<engine::TaskRow>> read_page(engine::Reader& reader, JobUid job,
                                               const Paging& paging) {
  engine::TaskQuery query;
  query.parent = TaskId{};
  query.job = job;
  query.limit = paging.limit;
  if (paging.before) {
    const auto last_seen = id_of_run(reader, job, *paging.before);
    if (!last_seen) return fail(last_seen.error());
    query.after = *last_seen;
  }
  return reader.tasks(query);
}

Result<> write_stored_run(JsonWriter& json, engine::Reader& reader, const engine::TaskRow& row) {
  const auto attempts = stored_attempts(reader, row.task.id);
  if (!attempts) return fail(attempts.error());
  std::vector<const model::Task*> shown;
  for (const model::Task& attempt : *attempts) shown.push_back(&attempt);
  const auto status =
      run_status(row.task.state, shown.empty() ? Attempts::kNone : Attempts::kSome, Origin::kNew);
  write_run(json, row.job_id, row.task, status, shown, model::reason_of(row.task));
  return {};
}

}  // namespace

Result<std::vector<model::Task>> stored_attempts(engine::Reader& reader, TaskId run) {
  engine::TaskQuery query;
  query.parent = run;
  query.order = engine::Order::kOldestFirst;
  query.limit = engine::kMaxPage;
  auto rows = reader.tasks(query);
  if (!rows) return fail(rows.error());
  std::vector<model::Task> attempts;
  for (engine::TaskRow& row : *rows) attempts.push_back(std::move(row.task));
  return attempts;
}

http::Response stored_runs_page(engine::Reader& reader, JobUid job, const Paging& paging,
                                const Names& names) {
  const auto rows = read_page(reader, job, paging);
  if (!rows && rows.error().kind == ErrorKind::kNotFound) {
    return framework_error(400, fmt::format("Unknown run in before: {}", *paging.before),
                           names.path);
  }
  if (!rows) return error_response(rows.error(), names);
  std::string body;
  JsonWriter json(body);
  json.begin_array();
  const std::string* last = nullptr;
  for (const engine::TaskRow& row : *rows) {
    if (body.size() >= kFullPageBytes) break;
    last = &row.task.name;
    if (auto written = write_stored_run(json, reader, row); !written) {
      return error_response(written.error(), names);
    }
  }
  json.end_array();
  http::Response response = json_response(200, std::move(body));
  const bool more = last && (rows->size() == paging.limit || last != &rows->back().task.name);
  if (more) {
    response.headers.emplace_back(
        "Link", fmt::format("<?all=true&limit={}&before={}>; rel=\"next\"", paging.limit, *last));
  }
  return response;
}

}  // namespace docket::metronome
