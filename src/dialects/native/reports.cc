// Tasks that other programs own: they create them, report progress, learn that an abort was
// requested, and end them. Also requests that any client may make of any task: to abort it, or to
// do something that its kind supports.

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <functional>
#include <utility>

#include "core/json_writer.h"
#include "dialects/native/answer.h"
#include "dialects/native/body.h"
#include "dialects/native/lookup.h"
#include "dialects/native/read_task.h"
#include "dialects/native/render.h"
#include "dialects/native/routes.h"
#include "dialects/native/task_ref.h"

namespace docket::native {
namespace {

using engine::Engine;
using engine::Node;

// ---- creating

struct Made {
  TaskId id;
  std::string body;  // empty: it existed already
};

// The engine says "module must be ..."; this door names the place in the body.
Error at_member(Error error) {
  if (error.kind == ErrorKind::kNotFound) {
    return invalid_body(
        {{.path = "/parent", .errors = {"is not a live task that can have children"}}});
  }
  for (FieldError& field : error.fields) {
    field.path = "/" + (field.path == "lease" ? "leaseSeconds" : field.path);
  }
  return error;
}

Made show(const model::Task& task) {
  Made made{.id = task.id, .body = {}};
  JsonWriter out(made.body);
  write_task(out, task, "");
  return made;
}

http::Response located(http::Response response, TaskId id) {
  response.headers.emplace_back("Location", fmt::format("{}/tasks/{}", kPrefix, id.value));
  return response;
}

void answer_made(engine::Archive& archive, Result<Made> made, const http::Reply& reply) {
  if (!made) return reply(problem(made.error()));
  if (!made->body.empty()) return reply(located(json_response(made->body, 201), made->id));
  archive.read([id = made->id, reply](engine::Reader& reader) {
    auto body = show_task(reader, id);
    reply(body ? located(json_response(*std::move(body)), id) : problem(body.error()));
  });
}

// With a UUID chosen by the client the request is safe to repeat: it answers with the existing
// task.
Result<Made> create(Engine& engine, NewTask task, Time now) {
  engine::Operations& operations = engine.operations();
  if (const auto known = operations.find_uuid(task.what.uuid)) {
    return Made{.id = *known, .body = {}};
  }
  TaskId parent;
  if (task.parent) {
    const auto found = find_live(engine, *task.parent);
    if (!found) return fail(at_member({.kind = ErrorKind::kNotFound, .message = {}}));
    parent = *found;
  }
  const auto made =
      operations.create(std::move(task.what), parent, task.begins, now, task.began_ago);
  if (!made) return fail(at_member(made.error()));
  if (model::is_final((*made)->task.state)) return show((*made)->task);
  const auto reported = operations.report((*made)->task.id, task.progress, now);
  if (!reported) return fail(reported.error());
  return show((*reported)->task);
}

void create_task(const Context& door, const http::Request& request, http::Reply reply) {
  auto task = read_new_task(request.body);
  if (!task) return reply(bad_body(task.error()));
  door.loop.call<Made>(
      [task = *std::move(task)](Engine& engine, Time now) { return create(engine, task, now); },
      [&archive = door.archive, reply = std::move(reply)](Result<Made> made) {
        answer_made(archive, std::move(made), reply);
      });
}

// ---- reporting

// Only what a reporter needs, because it asks often.
std::string heard(model::State state, bool stopping) {
  return fmt::format(R"({{"state":"{}","stopping":{}}})", model::name_of(state), stopping);
}
std::string heard(const Node& node) { return heard(node.task.state, engine::is_stopping(node)); }

// The engine forgets ended tasks; the archive knows whether there was such a task.
void answer_not_live(engine::Archive& archive, const std::string& name, const http::Reply& reply) {
  archive.read([name, reply](engine::Reader& reader) {
    const auto id = find_in_history(reader, name);
    if (!id) return reply(problem(id.error()));
    const auto row = read_task(reader, *id);
    if (!row) return reply(problem(row.error()));
    const model::Task& task = row->task;
    if (!model::is_final(task.state)) {
      return reply(problem(409, fmt::format("task '{}' is of kind {}, which takes no reports", name,
                                            model::kind_name(task))));
    }
    reply(problem(409,
                  fmt::format("task '{}' has ended: it is {}{}", name, model::name_of(task.state),
                              task.message.empty() ? "" : " (" + task.message + ")")));
  });
}

// Answers with the text about a live task, or says why there is none.
std::function<void(Result<std::string>)> answer_live(const Context& door, std::string name,
                                                     http::Reply reply) {
  return [&archive = door.archive, name = std::move(name),
          reply = std::move(reply)](Result<std::string> body) {
    const bool gone = !body && body.error().kind == ErrorKind::kNotFound;
    if (gone) return answer_not_live(archive, name, reply);
    reply(body ? json_response(*std::move(body)) : problem(body.error()));
  };
}

// Runs `work` on the live operation named in the path, and answers with its text.
template <class Work>
void with_live(const Context& door, const http::Request& request, http::Reply reply, Work work) {
  auto ref = parse_task_ref(request.params[0]);
  if (!ref) return reply(problem(no_such_task(request.params[0])));
  door.loop.call<std::string>(
      [ref = *std::move(ref), work = std::move(work)](Engine& engine,
                                                      Time now) -> Result<std::string> {
        engine::Operations& operations = engine.operations();
        const auto id = ref.id ? std::optional(ref.id) : operations.find_uuid(ref.uuid);
        if (!id) return fail(ErrorKind::kNotFound, "");
        return work(operations, *id, now);
      },
      answer_live(door, request.params[0], std::move(reply)));
}

Result<std::string> report(engine::Operations& operations, TaskId id, const engine::Report& report,
                           Time now) {
  const auto node = operations.report(id, report, now);
  if (!node) return fail(node.error());
  return heard(**node);
}

void report_progress(const Context& door, const http::Request& request, http::Reply reply) {
  const auto said = read_report(request.body);
  if (!said) return reply(bad_body(said.error()));
  with_live(door, request, std::move(reply),
            [said = *said](engine::Operations& operations, TaskId id, Time now) {
              return report(operations, id, said, now);
            });
}

void renew_lease(const Context& door, const http::Request& request, http::Reply reply) {
  with_live(door, request, std::move(reply),
            [](engine::Operations& operations, TaskId id, Time now) {
              return report(operations, id, {}, now);
            });
}

void add_note(const Context& door, const http::Request& request, http::Reply reply) {
  auto message = read_note(request.body);
  if (!message) return reply(bad_body(message.error()));
  with_live(door, request, std::move(reply),
            [message = *std::move(message)](engine::Operations& operations, TaskId id,
                                            Time now) -> Result<std::string> {
              if (auto done = operations.note(id, message, now); !done) return fail(done.error());
              return heard(*operations.find(id));
            });
}

void begin_task(const Context& door, const http::Request& request, http::Reply reply) {
  with_live(door, request, std::move(reply),
            [](engine::Operations& operations, TaskId id, Time now) -> Result<std::string> {
              const auto node = operations.begin(id, now);
              if (!node) return fail(node.error());
              return heard(**node);
            });
}

// ---- many reports at once

std::string report_all(Engine& engine, const std::vector<ReportOf>& reports, Time now) {
  std::string body;
  JsonWriter out(body);
  out.begin_object().key("items").begin_array();
  for (const ReportOf& each : reports) {
    const auto id = find_live(engine, each.task).value_or(TaskId{});
    const auto node = engine.operations().report(id, each.report, now);
    out.begin_object().member("task", each.name);
    write_text(out.key("state"), node ? model::name_of((*node)->task.state) : "");
    out.member("stopping", node && engine::is_stopping(**node));
    write_text(out.key("error"), node ? "" : "has ended, or never existed");
    out.end_object();
  }
  out.end_array().end_object();
  return body;
}

void report_many(const Context& door, const http::Request& request, http::Reply reply) {
  auto reports = read_reports(request.body);
  if (!reports) return reply(bad_body(reports.error()));
  door.loop.call<std::string>(
      [reports = *std::move(reports)](Engine& engine, Time now) -> Result<std::string> {
        return report_all(engine, reports, now);
      },
      answer_json(std::move(reply)));
}

// ---- ending

void finish_task(const Context& door, const http::Request& request, http::Reply reply) {
  auto finish = read_finish(request.body);
  if (!finish) return reply(bad_body(finish.error()));
  with_live(door, request, std::move(reply),
            [finish = *std::move(finish)](engine::Operations& operations, TaskId id,
                                          Time now) -> Result<std::string> {
              const Node* node = operations.find(id);
              if (!node) return fail(ErrorKind::kNotFound, "");
              const bool stopping = engine::is_stopping(*node);
              const auto done = operations.finish(id, finish.error, now, finish.ended_ago);
              if (!done) return fail(done.error());
              const bool failed = !finish.error.empty();
              return heard(stopping ? model::State::kAborted
                           : failed ? model::State::kFailed
                                    : model::State::kDone,
                           stopping);
            });
}

// Stops a run, or asks an operation's reporter to end it.
Result<std::string> abort(Engine& engine, const TaskRef& ref, Time now) {
  const auto id = find_live(engine, ref);
  if (!id) return fail(ErrorKind::kNotFound, "");
  if (auto done = engine.abort_task(*id, now); !done) return fail(done.error());
  const Node* node = engine.find_task(*id);
  const bool goes_on = node && !node->is_final();
  return goes_on ? heard(*node) : R"({"state":"aborted","stopping":true})";
}

void abort_task(const Context& door, const http::Request& request, http::Reply reply) {
  auto ref = parse_task_ref(request.params[0]);
  if (!ref) return reply(problem(no_such_task(request.params[0])));
  door.loop.call<std::string>(
      [ref = *std::move(ref)](Engine& engine, Time now) { return abort(engine, ref, now); },
      answer_live(door, request.params[0], std::move(reply)));
}

// A request that only the run's kind understands.
struct Question {
  std::string word;
  std::string arguments;
};

Result<Question> read_question(const std::string& text) {
  return read_body(text, [](JsonReader& body) {
    Question question;
    body.read_required("word", question.word);
    if (const auto* arguments = body.find("arguments")) {
      if (!arguments->is_object()) body.complain("arguments", "must be an object");
      question.arguments = boost::json::serialize(*arguments);
    }
    return question;
  });
}

Result<std::string> ask(Engine& engine, const TaskRef& ref, const Question& question, Time now) {
  const auto id = find_live(engine, ref);
  if (!id) return fail(ErrorKind::kNotFound, "");
  if (auto done = engine.ask(*id, question.word, question.arguments, now); !done) {
    const bool no_run = done.error().kind == ErrorKind::kNotFound;
    if (no_run) return fail(ErrorKind::kDenied, "only runs take such requests");
    return fail(done.error());
  }
  return heard(*engine.find_task(*id));
}

void ask_task(const Context& door, const http::Request& request, http::Reply reply) {
  auto ref = parse_task_ref(request.params[0]);
  if (!ref) return reply(problem(no_such_task(request.params[0])));
  auto question = read_question(request.body);
  if (!question) return reply(bad_body(question.error()));
  door.loop.call<std::string>(
      [ref = *std::move(ref), question = *std::move(question)](Engine& engine, Time now) {
        return ask(engine, ref, question, now);
      },
      answer_live(door, request.params[0], std::move(reply)));
}

}  // namespace

Routes report_routes(const ContextPtr& door) {
  using enum http::BodyRule;
  return {route(door, "POST", "/tasks", create_task, kJson),
          route(door, "POST", "/tasks/progress", report_many, kJson),
          route(door, "POST", "/tasks/{task}/progress", report_progress, kOptional),
          route(door, "POST", "/tasks/{task}/lease", renew_lease),
          route(door, "POST", "/tasks/{task}/events", add_note, kJson),
          route(door, "POST", "/tasks/{task}/begin", begin_task),
          route(door, "POST", "/tasks/{task}/finish", finish_task, kOptional),
          route(door, "POST", "/tasks/{task}/abort", abort_task),
          route(door, "POST", "/tasks/{task}/ask", ask_task, kJson)};
}

}  // namespace docket::native
