// docket tasks: requests, tables, messages and exit codes of scylla-tasks.md section 8.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_server.h"

namespace docket::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kStatus =
    R"({"id":"u1","type":"test","kind":"node","scope":"test","state":"done","is_abortable":false,
        "start_time":"2024-01-15T10:00:00Z","end_time":"1970-01-01T00:00:00Z","error":"",
        "parent_id":"none","sequence_number":1,"shard":0,"keyspace":"k","table":"","entity":"",
        "progress_units":"","progress_total":4,"progress_completed":0.5)";

class TasksCommands : public testing::Test {
 protected:
  Outcome docket(std::vector<std::string> words) {
    words.insert(words.begin(), "tasks");
    return run(server_, {.words = std::move(words)});
  }
  void answer(const std::string& request, const std::string& body, int status = 200) {
    server_.answer(request, status, body);
  }
  FakeServer server_;
};

TEST_F(TasksCommands, Modules) {
  answer("GET /task_manager/list_modules", R"(["process","test"])");
  EXPECT_EQ(docket({"modules"}).out, "process\ntest\n");
}

TEST_F(TasksCommands, JsonIsTheApisAnswer) {
  const std::string stats = R"([{"task_id":"u1"}])";
  const std::string status = R"({"id":"u1","state":"done"})";
  answer("GET /task_manager/list_modules", R"(["a"])");
  answer("GET /task_manager/list_module_tasks/a", stats);
  answer("GET /task_manager/task_status/u1", status);
  answer("GET /task_manager/wait_task/u1", status);
  answer("GET /task_manager/task_status_recursive/u1", "[" + status + "]");
  const std::string one = "{\n    \"id\": \"u1\",\n    \"state\": \"done\"\n}\n";
  const std::string tree =
      "[\n    {\n        \"id\": \"u1\",\n        \"state\": \"done\"\n    }\n]\n";
  EXPECT_EQ(docket({"modules", "--json"}).out, "[\n    \"a\"\n]\n");
  EXPECT_EQ(docket({"list", "a", "--json"}).out,
            "[\n    {\n        \"task_id\": \"u1\"\n    }\n]\n");
  EXPECT_EQ(docket({"status", "u1", "--json"}).out, one);
  EXPECT_EQ(docket({"wait", "u1", "--json"}).out, one);
  EXPECT_EQ(docket({"tree", "u1", "--json"}).out, tree);
  EXPECT_EQ(docket({"tree", "--json"}).out, tree);
}

TEST_F(TasksCommands, ListSendsOnlyWhatWasGiven) {
  answer("GET /task_manager/list_module_tasks/test", "[]");
  answer("GET /task_manager/list_module_tasks/test?internal=true&keyspace=k&table=t",
         R"([{"task_id":"u1","state":"running","type":"test","kind":"node","scope":"test",
              "keyspace":"k","table":"t","entity":"","sequence_number":12,"shard":0,
              "start_time":"2024-01-15T10:00:00Z","end_time":"1970-01-01T00:00:00Z"}])");
  EXPECT_EQ(docket({"list", "test"}).out,
            "task_id type kind scope state sequence_number keyspace table entity shard start_time "
            "end_time\n");
  const std::string table =
      "task_id type kind scope state   sequence_number keyspace table entity shard "
      "start_time           end_time\n"
      "u1      test node test  running 12              k        t            0     "
      "2024-01-15T10:00:00Z         \n";
  EXPECT_EQ(docket({"list", "test", "--internal", "--keyspace", "k", "--table", "t"}).out, table);
  EXPECT_EQ(docket({"list", "-ks", "k", "-t", "t", "--internal", "test"}).out, table);
}

TEST_F(TasksCommands, ListRepeats) {
  answer("GET /task_manager/list_module_tasks/test", "[]");
  const Outcome once = docket({"list", "test"});
  EXPECT_EQ(docket({"list", "test", "-i", "2", "--interval", "0"}).out,
            once.out + "\n\n" + once.out + "\n\n" + once.out);
}

TEST_F(TasksCommands, StatusIsALinePerMember) {
  answer("GET /task_manager/task_status/u1",
         std::string(kStatus) + R"(,"children_ids":[{"task_id":"a","node":"127.0.0.1"},)"
                                R"({"task_id":"b","node":"0.0.0.0"}]})");
  EXPECT_EQ(docket({"status", "u1"}).out,
            "id: u1\ntype: test\nkind: node\nscope: test\nstate: done\nis_abortable: false\n"
            "start_time: 2024-01-15T10:00:00Z\nend_time: \nerror: \nparent_id: none\n"
            "sequence_number: 1\nshard: 0\nkeyspace: k\ntable: \nentity: \nprogress_units: \n"
            "progress_total: 4\nprogress_completed: 0.5\n"
            "children_ids: [{task_id: a, node: 127.0.0.1 }, {task_id: b, node: 0.0.0.0 }]\n");
}

TEST_F(TasksCommands, TreeOfATask) {
  answer("GET /task_manager/task_status_recursive/u1", "[" + std::string(kStatus) + "}]");
  EXPECT_EQ(docket({"tree", "u1"}).out,
            "id type kind scope state is_abortable start_time           end_time error parent_id "
            "sequence_number shard keyspace table entity progress_units total completed "
            "children_ids\n"
            "u1 test node test  done  false        2024-01-15T10:00:00Z                none      "
            "1               0     k                                    4     0.5       "
            "[]          \n");
}

TEST_F(TasksCommands, TreeOfAllOmitsTasksForgottenMeanwhile) {
  answer("GET /task_manager/list_modules", R"(["a","b"])");
  answer("GET /task_manager/list_module_tasks/a", R"([{"task_id":"u1"},{"task_id":"u2"}])");
  answer("GET /task_manager/list_module_tasks/b", "[]");
  answer("GET /task_manager/task_status_recursive/u1", "[" + std::string(kStatus) + "}]");
  answer("GET /task_manager/task_status_recursive/u2", R"({"message":"gone","code":400})", 400);
  const Outcome done = docket({"tree"});
  EXPECT_EQ(done.code, 0);
  EXPECT_EQ(done.err, "");
  EXPECT_EQ(std::count(done.out.begin(), done.out.end(), '\n'), 2);
}

TEST_F(TasksCommands, Wait) {
  answer("GET /task_manager/wait_task/u1", std::string(kStatus) + "}");
  EXPECT_THAT(docket({"wait", "u1"}).out, HasSubstr("state: done\n"));
  const Outcome quiet = docket({"wait", "u1", "--quiet"});
  EXPECT_EQ(quiet.code, 0);
  EXPECT_EQ(quiet.out + quiet.err, "");
  answer("GET /task_manager/wait_task/u2?timeout=3", R"({"message":"timedout","code":408})", 408);
  const Outcome late = docket({"wait", "u2", "--timeout", "3"});
  EXPECT_EQ(late.code, 0);
  EXPECT_EQ(late.out, "Operation timed out\n");
  EXPECT_EQ(docket({"wait", "-q", "u2", "--timeout", "3"}).code, 124);
  answer("GET /task_manager/wait_task/u3", R"({"state":"failed"})");
  EXPECT_EQ(docket({"wait", "-q", "u3"}).code, 123);
  answer("GET /task_manager/wait_task/u4", R"({"message":"task with id u4 not found"})", 400);
  const Outcome unknown = docket({"wait", "-q", "u4"});
  EXPECT_EQ(unknown.code, 125);
  EXPECT_EQ(unknown.out + unknown.err, "");
}

TEST_F(TasksCommands, AcceptsNumbersAndNamesOfRunsIfTheServerKnowsThem) {
  server_.answer("GET /docket/v1/tasks/5", 200, R"({"id":"5","uuid":"u1"})");
  server_.answer("GET /docket/v1/runs?limit=1&name=20190307204634kC8Rs", 200,
                 R"({"items":[{"id":"5","uuid":"u1"}],"next":null})");
  answer("GET /task_manager/wait_task/u1", std::string(kStatus) + "}");
  answer("GET /task_manager/task_status/u1", std::string(kStatus) + "}");
  answer("POST /task_manager/abort_task/u1", "");
  EXPECT_EQ(docket({"wait", "5", "-q"}).code, 0);
  EXPECT_EQ(docket({"status", "20190307204634kC8Rs"}).code, 0);
  EXPECT_EQ(docket({"abort", "5"}).code, 0);
  answer("GET /task_manager/task_status/9", R"({"message":"bad"})", 400);
  EXPECT_THAT(docket({"status", "9"}).err, HasSubstr("bad")) << "of a server that has no numbers";
}

// An abort meant for another node must not go to the default server.
TEST_F(TasksCommands, HostAndPortSelectTheServer) {
  const auto asked = [&](std::vector<std::string> words) {
    docket(std::move(words));
    return server_.requests.back();
  };
  EXPECT_EQ(asked({"abort", "u1", "-h", "node2", "-p", "9999"}),
            "POST http://node2:9999/task_manager/abort_task/u1");
  EXPECT_EQ(asked({"-h", "node2", "modules"}), "GET http://node2:10000/task_manager/list_modules");
  EXPECT_EQ(asked({"modules", "--port=7"}), "GET http://127.0.0.1:7/task_manager/list_modules");
  EXPECT_EQ(asked({"modules", "-p8"}), "GET http://127.0.0.1:8/task_manager/list_modules");
  EXPECT_EQ(asked({"-p", "7199", "-rp", "10001", "-h", "::1", "modules"}),
            "GET http://[::1]:10001/task_manager/list_modules");
  EXPECT_EQ(asked({"modules", "-u", "me", "-pw", "x", "--logger-log-level", "debug"}),
            "GET /task_manager/list_modules");
}

TEST_F(TasksCommands, MistakesHaveNodetoolsMessages) {
  EXPECT_EQ(docket({"list", "test", "--frob"}).err,
            "error processing arguments: unrecognised option '--frob'\n");
  EXPECT_EQ(docket({"status", "u1", "u2"}).err,
            "error processing arguments: too many positional options have been specified on the "
            "command line\n");
  const Outcome unknown = docket({"frob", "-h"});
  EXPECT_EQ(unknown.code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("unrecognized operation argument"));
}

TEST_F(TasksCommands, Abort) {
  answer("POST /task_manager/abort_task/u1", "");
  EXPECT_EQ(docket({"abort", "u1"}).out, "");
  answer("POST /task_manager/abort_task/u2", R"({"message":"x","code":403})", 403);
  const Outcome denied = docket({"abort", "u2"});
  EXPECT_EQ(denied.code, 0);
  EXPECT_EQ(denied.out, "Task with id u2 is not abortable\n");
}

TEST_F(TasksCommands, TimesToLive) {
  answer("GET /task_manager/ttl", "0");
  answer("GET /task_manager/user_ttl", "3600");
  answer("POST /task_manager/ttl?ttl=5", "0");
  answer("POST /task_manager/user_ttl?user_ttl=6", "3600");
  EXPECT_EQ(docket({"ttl"}).out, "Current ttl: 0\n");
  EXPECT_EQ(docket({"user-ttl"}).out, "Current user ttl: 3600\n");
  EXPECT_EQ(docket({"ttl", "--set", "5"}).out, "");
  EXPECT_EQ(docket({"user-ttl", "--set", "6"}).code, 0);
}

TEST_F(TasksCommands, Drain) {
  answer("GET /task_manager/list_modules", R"(["a","b"])");
  answer("POST /task_manager/drain/a", "");
  answer("POST /task_manager/drain/b", "");
  EXPECT_EQ(docket({"drain"}).code, 0);
  EXPECT_EQ(docket({"drain", "--module", "b"}).code, 0);
  EXPECT_THAT(server_.requests,
              ElementsAre("GET /task_manager/list_modules", "POST /task_manager/drain/a",
                          "POST /task_manager/drain/b", "POST /task_manager/drain/b"));
}

TEST_F(TasksCommands, Refusals) {
  answer("GET /task_manager/list_module_tasks/x?internal=true",
         R"-({"message":"std::runtime_error (module x not found)","code":400})-", 400);
  const Outcome refused = docket({"list", "x", "--internal"});
  EXPECT_EQ(refused.code, 4);
  EXPECT_EQ(refused.err,
            "error executing GET request to http://test/task_manager/list_module_tasks/x with "
            "parameters {\"internal\": \"true\"}: remote replied with status code 400:\n"
            "std::runtime_error (module x not found)\n");
  answer("GET /task_manager/ttl", "no JSON", 204);
  EXPECT_THAT(docket({"ttl"}).err, HasSubstr("status code 204:\nno JSON\n"));
  const Outcome away = docket({"user-ttl"});  // no answer was prepared
  EXPECT_EQ(away.code, 2);
  EXPECT_THAT(away.err, testing::StartsWith("error running operation: cannot reach "));
}

TEST_F(TasksCommands, BadArguments) {
  for (const char* word : {"status", "wait", "abort"}) {
    const Outcome missing = docket({word});
    EXPECT_EQ(missing.code, 1);
    EXPECT_EQ(missing.err, "error processing arguments: required parameter is missing: id\n");
  }
  EXPECT_EQ(docket({"list"}).err,
            "error processing arguments: required parameter is missing: module\n");
  EXPECT_EQ(docket({"ttl", "--nope"}).code, 1);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, std::vector<std::string>{"nope"}}) {
    const Outcome alone = docket(words);
    EXPECT_EQ(alone.code, 1);
    EXPECT_THAT(alone.err, HasSubstr("unrecognized operation argument"));
  }
  EXPECT_TRUE(server_.requests.empty());
}

TEST_F(TasksCommands, WhatNodetoolIgnoresIsIgnored) {
  answer("GET /task_manager/ttl", "0");
  using Words = std::vector<std::string>;
  for (const Words& words : {Words{"tasks", "ttl", "-u", "me", "-pw", "secret"},
                             Words{"tasks", "-pp", "ttl", "--password-file", "/x"}}) {
    const Outcome done = run(server_, {.words = words});
    EXPECT_EQ(done.out, "Current ttl: 0\n") << done.err;
  }
  for (const Words& words :
       {Words{"tasks", "ttl", "-h"}, Words{"tasks", "-h", "ttl"}, Words{"tasks", "ttl", "--help"},
        Words{"tasks", "ttl", "-h", "--url=x"}}) {
    EXPECT_THAT(run(server_, {.words = words}).out, HasSubstr("Usage: docket tasks ttl"));
  }
  EXPECT_EQ(run(server_, {.words = {"job", "list", "-p", "1"}}).code, 1);
}

}  // namespace
}  // namespace docket::cli
