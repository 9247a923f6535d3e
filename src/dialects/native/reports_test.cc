// Tasks that other programs own, and waiting for tasks of every kind.

#include "support/native_fixture.h"

namespace docket::native {
namespace {

constexpr const char* kUuid = "0f8fad5b-d9cb-469f-a165-70867728950e";

class NativeReports : public NativeTest {
 protected:
  Answer make(const std::string& members = {}) {
    return post("/tasks", R"({"module":"backups")" + (members.empty() ? "" : "," + members) + "}");
  }
};

TEST_F(NativeReports, ANewTaskIsShownWithAllItsMembers) {
  const auto made = make(
      R"("type":"dump","scope":"table","keyspace":"k","table":"t","entity":"db1","units":"bytes",
         "labels":{"team":"data"},"lane":3,"expected":100,"leaseSeconds":30,"abortable":true,
         "user":true,"uuid":"0f8fad5b-d9cb-469f-a165-70867728950e",
         "progress":{"completed":1,"total":4})");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.header("Location"), "/docket/v1/tasks/1");
  EXPECT_EQ(made.at("/kind"), "operation");
  EXPECT_EQ(made.at("/state"), "running");
  EXPECT_EQ(made.at("/job"), "null");
  EXPECT_EQ(to_json(made.body.at("operation")),
            R"({"module":"backups","type":"dump","scope":"table","keyspace":"k","table":"t",)"
            R"("entity":"db1","labels":{"team":"data"},"lane":3,"sequence":1,"expected":100,)"
            R"("leaseSeconds":30,"abortable":true,"internal":false,"cluster":false,"user":true,)"
            R"("local":false,"childrenEnded":0,"childrenFailed":0})");
  EXPECT_EQ(to_json(made.body.at("progress")), R"({"completed":1,"total":4,"units":"bytes"})");
  for (const std::string name : {"1", kUuid, "0F8FAD5B-D9CB-469F-A165-70867728950E"}) {
    EXPECT_EQ(get("/tasks/" + name).response.body, made.response.body) << name;
  }
}

TEST_F(NativeReports, AClusterTaskIsARootWithoutLaneOrSequence) {
  const auto made = make(R"("cluster":true,"lane":2)");
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.at("/operation/cluster"), "true");
  EXPECT_EQ(made.at("/operation/lane"), "0");
  EXPECT_EQ(made.at("/operation/sequence"), "0");
  const auto child = make(R"("parent":1,"lane":2)");
  EXPECT_EQ(child.at("/operation/cluster"), "false");
  EXPECT_EQ(child.at("/operation/sequence"), "1");
  EXPECT_EQ(make(R"("parent":1,"cluster":true)").errors(), "/cluster: is for roots only");
}

TEST_F(NativeReports, TheSameUuidIsTheSameTaskWhileItLives) {
  const std::string uuid = std::string(R"("uuid":")") + kUuid + "\"";
  ASSERT_EQ(make(uuid).status(), 201);
  const auto again = make(uuid);
  EXPECT_EQ(again.status(), 200);
  EXPECT_EQ(again.at("/id"), "1");
  EXPECT_EQ(again.header("Location"), "/docket/v1/tasks/1");
  EXPECT_EQ(post(std::string("/tasks/") + kUuid + "/finish").status(), 200);
  const auto next = make(uuid);
  EXPECT_EQ(next.status(), 201);
  EXPECT_EQ(next.at("/id"), "2");
  EXPECT_EQ(get(std::string("/tasks/") + kUuid).at("/id"), "2");
  EXPECT_EQ(get("/tasks/1").at("/state"), "done");
}

TEST_F(NativeReports, BadBodiesCreateNothing) {
  EXPECT_EQ(post("/tasks", "{").status(), 400);
  EXPECT_EQ(post("/tasks", "{}").errors(), "/module: is required");
  EXPECT_EQ(make(R"("leaseSeconds":-1,"labels":{"a":1},"lane":0.5)").errors(),
            "/labels/a: must be a string; /lane: must be a whole number from 0 to 1000000; "
            "/leaseSeconds: must be a whole number from 0 to 31622400");
  EXPECT_EQ(make(R"("progress":{"completed":-1,"done":2})").errors(),
            "/progress/completed: must be a number from 0; /progress/done: is not a known member");
  EXPECT_EQ(make(R"("uuid":"x")").errors(), "/uuid: must be a lower-case UUID");
  EXPECT_EQ(make(R"("type":"a\u0000b")").errors(), "/type: must not contain NUL characters");
  EXPECT_EQ(make(R"("entity":"a\nb")").errors(), "/entity: must not contain control characters");
  EXPECT_EQ(make(R"("labels":{"a":"\u001b"})").errors(),
            "/labels: must not contain control characters");
  EXPECT_EQ(make(R"("parent":"x")").errors(), "/parent: must be the number or the UUID of a task");
  EXPECT_EQ(make(R"("parent":9)").errors(), "/parent: is not a live task that can have children");
  docket.add_job("a");
  const TaskId run = docket.start("a");
  EXPECT_EQ(make(R"("parent":")" + std::to_string(run.value) + "\"").status(), 422);
  EXPECT_EQ(ask("POST", "/tasks", "{}", {}).status(), 415);
  EXPECT_EQ(get("/tasks?kind=operation").size(), 0);
}

TEST_F(NativeReports, ChildrenHaveTheirParentsModuleAndAreSummed) {
  make(std::string(R"("uuid":")") + kUuid + "\"");
  const auto by_uuid = post("/tasks", std::string(R"({"parent":")") + kUuid + "\"}");
  EXPECT_EQ(by_uuid.at("/operation/module"), "backups");
  EXPECT_EQ(by_uuid.at("/parent"), "1");
  EXPECT_EQ(by_uuid.at("/operation/internal"), "true");
  post("/tasks", R"({"parent":1,"progress":{"completed":3,"total":8}})");
  post("/tasks/2/progress", R"({"completed":1,"total":2})");
  EXPECT_EQ(to_json(get("/tasks/1").body.at("progress")),
            R"({"completed":4,"total":10,"units":null})");
  post("/tasks/2/finish");
  const auto tree = get("/tasks/1/tree");
  EXPECT_EQ(tree.at("/progress/total"), "10");
  EXPECT_EQ(tree.size("/children"), 2);
  EXPECT_EQ(tree.at("/operation/childrenEnded"), "1");
  const auto live = get("/tasks/1/tree?live");
  EXPECT_EQ(live.size("/children"), 1);
  EXPECT_EQ(live.at("/children/0/id"), "3");
  EXPECT_EQ(live.at("/progress/completed"), "4");
}

TEST_F(NativeReports, AProgressReportAnswersWithTheState) {
  make(R"("abortable":true)");
  const auto heard = post("/tasks/1/progress", R"({"completed":3,"total":4})");
  EXPECT_EQ(heard.response.body, R"({"state":"running","stopping":false})");
  EXPECT_EQ(get("/tasks/1").at("/progress/completed"), "3");
  EXPECT_EQ(post("/tasks/1/abort").response.body, R"({"state":"running","stopping":true})");
  EXPECT_EQ(post("/tasks/1/abort").status(), 200);
  for (const char* way : {"/tasks/1/progress", "/tasks/1/lease", "/tasks/1/begin"}) {
    EXPECT_EQ(post(way).response.body, R"({"state":"running","stopping":true})") << way;
  }
  EXPECT_EQ(post("/tasks/1/finish").response.body, R"({"state":"aborted","stopping":true})");
  EXPECT_EQ(get("/tasks/1").at("/state"), "aborted");
}

TEST_F(NativeReports, AnAbortIsSeenEverywhereBelow) {
  make(R"("abortable":true)");
  make(R"("parent":"1")");
  make(R"("parent":"2")");
  post("/tasks/1/abort");
  EXPECT_EQ(post("/tasks/3/lease").response.body, R"({"state":"running","stopping":true})");
  EXPECT_EQ(post("/tasks/progress", R"([{"task":3}])").at("/items/0/stopping"), "true");
  EXPECT_EQ(get("/tasks/3").at("/stopping"), "true");
  const auto list = get("/tasks");
  for (const char* place : {"/items/0/stopping", "/items/1/stopping", "/items/2/stopping"}) {
    EXPECT_EQ(list.at(place), "true") << place;
  }
  EXPECT_EQ(get("/tasks/1/tree").at("/children/0/children/0/stopping"), "true");
  EXPECT_EQ(post("/tasks/3/finish").at("/state"), "aborted");
  EXPECT_EQ(get("/tasks/3").at("/stopping"), "true");
}

TEST_F(NativeReports, ATaskMayBeginLater) {
  EXPECT_EQ(make(R"("begin":false)").at("/state"), "created");
  EXPECT_EQ(post("/tasks/1/lease").at("/state"), "created");
  EXPECT_EQ(post("/tasks/1/begin").at("/state"), "running");
}

TEST_F(NativeReports, AnEndHasAReason) {
  make();
  EXPECT_EQ(post("/tasks/1/finish", R"({"error":"disk full"})").at("/state"), "failed");
  EXPECT_EQ(get("/tasks/1").at("/message"), "disk full");
  const auto late = post("/tasks/1/progress", R"({"completed":1})");
  EXPECT_EQ(late.status(), 409);
  EXPECT_EQ(late.at("/detail"), "task '1' has ended: it is failed (disk full)");
  EXPECT_EQ(post("/tasks/1/finish").status(), 409);
  EXPECT_EQ(post("/tasks/1/abort").status(), 409);
  EXPECT_EQ(post("/tasks/1/events", R"({"message":"x"})").status(), 409);
}

TEST_F(NativeReports, UnknownTasksAre404) {
  for (const std::string task : {"7", "x", kUuid}) {
    for (const std::string what : {"progress", "lease", "begin", "finish", "abort"}) {
      EXPECT_EQ(post("/tasks/" + task + "/" + what).status(), 404) << task << what;
    }
    EXPECT_EQ(get("/tasks/" + task).status(), 404);
    EXPECT_EQ(get("/tasks/" + task + "?wait=1s").status(), 404);
    EXPECT_EQ(get("/tasks/" + task + "/tree").status(), 404);
  }
}

TEST_F(NativeReports, NotesAreEvents) {
  make();
  EXPECT_EQ(post("/tasks/1/events", R"({"message":"half way"})").at("/state"), "running");
  EXPECT_EQ(post("/tasks/1/events", R"({"message":""})").errors(), "/message: must not be empty");
  EXPECT_EQ(post("/tasks/1/events", R"({"message":"\u0000"})").errors(),
            "/message: must not contain NUL characters");
  const auto events = get("/events?root=1&order=newest&limit=1");
  EXPECT_EQ(events.at("/items/0/type"), "task_note");
  EXPECT_EQ(events.at("/items/0/message"), "half way");
}

TEST_F(NativeReports, ReportsAreNotEvents) {
  make();
  const auto before = get("/events").size();
  for (int i = 0; i < 5; ++i)
    post("/tasks/1/progress", R"({"completed":)" + std::to_string(i) + "}");
  EXPECT_EQ(get("/events").size(), before);
}

TEST_F(NativeReports, ManyReportsAtOnce) {
  make(std::string(R"("uuid":")") + kUuid + "\"");
  make();
  const auto answer = post("/tasks/progress", std::string(R"([{"task":1,"completed":1,"total":2},
    {"task":")") + kUuid + R"(","total":9},{"task":"2","completed":5},{"task":"8"}])");
  EXPECT_EQ(
      answer.response.body,
      std::string(R"({"items":[)") +
          R"({"task":"1","state":"running","stopping":false,"error":null},)" + R"({"task":")" +
          kUuid + R"(","state":"running","stopping":false,"error":null},)" +
          R"({"task":"2","state":"running","stopping":false,"error":null},)" +
          R"({"task":"8","state":null,"stopping":false,"error":"has ended, or never existed"}]})");
  EXPECT_EQ(get("/tasks/1").at("/progress/total"), "9");
  const auto bad = post("/tasks/progress",
                        R"([{"task":2,"completed":6},{"completed":1},{"task":2,"total":-1}])");
  EXPECT_EQ(bad.errors(), "/1/task: is required; /2/total: must be a number from 0");
  EXPECT_EQ(get("/tasks/2").at("/progress/completed"), "5");
  EXPECT_EQ(post("/tasks/progress", "{}").status(), 422);
}

TEST_F(NativeReports, AReporterThatFallsSilentIsLost) {
  make(R"("leaseSeconds":30)");
  docket.advance(seconds{29});
  EXPECT_EQ(post("/tasks/1/lease").status(), 200);
  docket.advance(seconds{29});
  EXPECT_EQ(get("/tasks/1").at("/state"), "running");
  docket.advance(seconds{1});
  EXPECT_EQ(get("/tasks/1").at("/state"), "failed");
  EXPECT_EQ(get("/tasks/1").at("/message"), "Lost: its reporter was not heard from for 30 s");
}

TEST_F(NativeReports, ARestartKeepsTheTaskAndItsLease) {
  make(R"("leaseSeconds":30,"progress":{"completed":2,"total":3})");
  docket.restart(minutes{5});
  open_door();
  EXPECT_EQ(get("/tasks/1").at("/progress/completed"), "2");
  EXPECT_EQ(post("/tasks/1/lease").at("/state"), "running");
}

TEST_F(NativeReports, RunsAreAbortedAndAttemptsAreNot) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  EXPECT_EQ(post("/tasks/1/progress", R"({"completed":1})").status(), 409);
  EXPECT_EQ(post("/tasks/2/abort").status(), 403);
  EXPECT_EQ(post("/tasks/1/abort").response.body, R"({"state":"aborted","stopping":true})");
  EXPECT_EQ(get("/tasks/1").at("/state"), "aborted");
  EXPECT_EQ(post("/tasks/1/abort").status(), 409);
  make();
  EXPECT_EQ(post("/tasks/3/abort").status(), 403);
}

TEST_F(NativeReports, ListsFilterByKindModuleAndRoot) {
  docket.add_job("a");
  docket.run_attempt(docket.start("a"));
  make();
  post("/tasks", R"({"parent":3})");
  post("/tasks", R"({"module":"other"})");
  EXPECT_EQ(get("/tasks?kind=operation").each("id"), "5 4 3");
  EXPECT_EQ(get("/tasks?kind=operation&roots").each("id"), "5 3");
  EXPECT_EQ(get("/tasks?module=backups&order=oldest").each("id"), "3 4");
  EXPECT_EQ(get("/tasks?module=process&kind=run").each("id"), "1");
  EXPECT_EQ(get("/tasks?trigger=manual").each("kind"), "attempt run");
  EXPECT_EQ(get("/tasks?kind=job").status(), 400);
}

// ---- waiting

class NativeWaits : public NativeTest {
 protected:
  // The answer may arrive later.
  std::shared_ptr<std::optional<http::Response>> waiting(const std::string& target) {
    return docket.send({{{"", door}}}, "GET", target, "", {});
  }
  static std::string state(const std::optional<http::Response>& answer) {
    if (!answer) return "no answer yet";
    const auto body = parse_json(answer->body);
    return body ? text(body->at("state")) : answer->body;
  }
};

TEST_F(NativeWaits, AnswersWhenTheTaskHasEnded) {
  post("/tasks", R"({"module":"m"})");
  const auto one = waiting("/tasks/1?wait=30s");
  const auto two = waiting("/tasks/1?wait=2m");
  EXPECT_EQ(state(*one), "no answer yet");
  post("/tasks/1/finish");
  docket.settle();
  EXPECT_EQ(state(*one), "done");
  EXPECT_EQ(state(*two), "done");
  EXPECT_EQ(get("/tasks/1?wait=30s").at("/state"), "done");
}

TEST_F(NativeWaits, AnswersWhenTheWaitTimesOut) {
  post("/tasks", R"({"module":"m"})");
  const auto answer = waiting("/tasks/1?wait=1500ms");
  docket.advance(std::chrono::milliseconds{1499});
  EXPECT_EQ(state(*answer), "no answer yet");
  docket.advance(std::chrono::milliseconds{1});
  EXPECT_EQ(state(*answer), "running");
  EXPECT_EQ(get("/tasks/1?wait=0").at("/state"), "running");
  for (const char* wrong : {"x", "1h", "-1", "3601", "s"}) {
    EXPECT_EQ(get(std::string("/tasks/1?wait=") + wrong).status(), 400) << wrong;
  }
}

TEST_F(NativeWaits, RunsCanBeWaitedForToo) {
  docket.add_job("a");
  const TaskId run = docket.start("a");
  docket.run_attempt(run);
  const auto answer = waiting("/tasks/1?wait=60");
  docket.finish_attempt(run, 0);
  docket.settle();
  EXPECT_EQ(state(*answer), "done");
}

}  // namespace
}  // namespace docket::native
