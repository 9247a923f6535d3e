#include "cli/client/native_calls.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>

#include "cli/client/json_access.h"

namespace docket::cli {
namespace {

namespace json = boost::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_uuid(std::string_view text) {
  return text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
         text[23] == '-';
}

// The first item of a page, or null.
Result<json::value> first_run(ServerApi& server, const std::string& query) {
  const auto page = server.native("/runs?limit=1" + query);
  if (!page) return fail(page.error());
  const json::array& items = array_at(*page, "items");
  return items.empty() ? json::value(nullptr) : items.front();
}

}  // namespace

bool is_run_name(std::string_view text) {
  return text.size() == 19 && std::all_of(text.begin(), text.begin() + 14, is_digit) &&
         std::all_of(text.begin() + 14, text.end(), [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
         });
}

Result<json::value> find_task(ServerApi& server, const std::string& text) {
  if (is_run_name(text)) {
    auto found = first_run(server, "&name=" + encode_segment(text));
    if (!found || !found->is_null()) return found;
  }
  const bool number = std::all_of(text.begin(), text.end(), is_digit);
  if (!number && !is_uuid(text)) return json::value(nullptr);
  auto found = server.native("/tasks/" + encode_segment(text));
  if (!found && found.error().kind == ErrorKind::kNotFound) return json::value(nullptr);
  return found;
}

Result<json::value> run_of(ServerApi& server, const json::value& task) {
  const std::string root = text_at(task, "root");
  if (root.empty() || root == text_at(task, "id")) return task;
  return server.native("/tasks/" + encode_segment(root));
}

std::string name_of_run(ServerApi& server, const std::string& run) {
  if (is_run_name(run)) return run;
  const auto task = find_task(server, run);
  if (!task || task->is_null()) return run;
  const auto found = run_of(server, *task);
  const std::string name = found ? text_at(*found, "name") : std::string();
  return name.empty() ? run : name;
}

std::optional<std::uint64_t> number_of(const json::value& event) {
  const std::string seq = text_at(event, "seq");
  std::uint64_t number = 0;
  const auto read = std::from_chars(seq.data(), seq.data() + seq.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

Result<std::uint64_t> newest_event(ServerApi& server) {
  const auto page = server.native("/events?order=newest&limit=1");
  if (!page) return fail(page.error());
  const json::array& items = array_at(*page, "items");
  return items.empty() ? 0 : number_of(items.front()).value_or(0);
}

Result<json::value> find_run(ServerApi& server, const std::string& job_or_run, RunsOf of) {
  if (is_run_name(job_or_run)) {
    auto named = find_task(server, job_or_run);
    if (!named || !named->is_null()) return named;
  }
  const char* states = of == RunsOf::kActive ? "&state=created,queued,running,paused" : "";
  auto newest = first_run(server, "&job=" + encode_segment(job_or_run) + states);
  if (!newest || !newest->is_null()) return newest;
  if (!is_run_name(job_or_run)) {
    auto numbered = find_task(server, job_or_run);
    if (!numbered || !numbered->is_null()) return numbered;
  }
  const auto job = server.native("/jobs/" + encode_segment(job_or_run));
  if (!job) {
    return fail(job.error().kind == ErrorKind::kNotFound ? no_job_or_run(job_or_run) : job.error());
  }
  const char* which = of == RunsOf::kActive ? " has no active run; --completed prints finished ones"
                                            : " has never run";
  return fail(ErrorKind::kNotFound, "job \"" + job_or_run + "\"" + which);
}

Result<json::array> all_items(ServerApi& server, const std::string& path) {
  json::array items;
  std::string after;
  for (int pages = 0; pages < kMaxPages; ++pages) {
    const auto page =
        server.native(path + (after.empty() ? "" : "&after=" + encode_segment(after)));
    if (!page) return fail(page.error());
    const json::array& more = array_at(*page, "items");
    items.insert(items.end(), more.begin(), more.end());
    after = text_at(*page, "next");
    if (after.empty()) break;
  }
  return items;
}

Error no_job_or_run(const std::string& id) {
  return {ErrorKind::kNotFound, "no job or run is called \"" + id + "\""};
}

}  // namespace docket::cli
