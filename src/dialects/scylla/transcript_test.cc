// Plays the conversations in transcripts/*.txt against the door (support/transcript.h). Its own
// directives:
//
//   ! keep                      reading a status unregisters nothing (the newer servers)
//   ! no-test-api               /task_manager_test is not served
//   ! tree N                    a complete binary tree of running test tasks, $0 ... in heap order
//   ! fold N FAILED,...         their ends, the last one first; those named fail
//   ! operation NAME KEY=VALUE ...  a task of docket's own, $NAME, that begins at once; keys are
//                               module, parent, type, scope, keyspace, table, entity, units, lane,
//                               expected, lease, and the flags abortable, cluster, user, internal,
//                               local, created (it does not begin)
//   ! start NAME                it begins
//   ! report NAME COMPLETED TOTAL    its progress
//   ! finish NAME [ERROR]       its end; NAME may be an id that the door has told
//
//   ! ordered CHORE ...; ...    what housekeeping was ordered since the last of these lines, with
//                               families=A,B and file=NAME; `! ordered`: nothing
//   ! keeps-all                 the store keeps all that ended, for ever
//
//   ! job ID [CPUS]             a job that runs one process
//   ! run ID NAME               a run of it that somebody asks for, $NAME
//   ! end NAME CODE             the process of that run ends, even if the run has ended before
//
// $0 to $15 are uuids to choose for tasks.

#include "support/transcript.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

#include "dialects/scylla/openapi.h"
#include "dialects/scylla/scylla.h"
#include "support/api_document.h"
#include "support/ordered_care.h"

namespace docket::scylla {
namespace {

const testing::ApiDocument& openapi() {
  static const testing::ApiDocument kDocument(openapi_document());
  return kDocument;
}

using engine::Engine;

// Sets a member of an operation from "key=value" or "flag"; false: there is no such member.
bool say(model::Operation& what, const std::string& key, const std::string& value) {
  const std::map<std::string, std::string*> texts{
      {"module", &what.module}, {"type", &what.type},     {"scope", &what.scope},
      {"table", &what.table},   {"entity", &what.entity}, {"keyspace", &what.keyspace},
      {"units", &what.units}};
  const std::map<std::string, bool*> flags{{"abortable", &what.abortable},
                                           {"cluster", &what.cluster},
                                           {"user", &what.user},
                                           {"internal", &what.internal},
                                           {"local", &what.local}};
  if (const auto text = texts.find(key); text != texts.end()) {
    *text->second = value;
  } else if (const auto flag = flags.find(key); flag != flags.end()) {
    *flag->second = true;
  } else if (key == "lane") {
    what.lane = static_cast<std::uint32_t>(std::stoul(value));
  } else if (key == "expected") {
    what.expected = std::stod(value);
  } else if (key == "lease") {
    what.lease = std::chrono::seconds{std::stoi(value)};
  } else {
    return false;
  }
  return true;
}

// An order of housekeeping as one line; what its task shows is not repeated.
std::string words_of(const care::CareWork& order) {
  std::string words = name_of(order.chore);
  if (!order.families.empty()) {
    words += fmt::format(" families={}", fmt::join(order.families, ","));
  }
  const bool named_by_docket = order.file.starts_with("docket-");
  if (!order.file.empty() && !named_by_docket) words += " file=" + order.file;
  return words;
}

class Stage final : public testing::TranscriptStage {
 public:
  Stage() {
    for (int i = 0; i < 16; ++i) {
      names[fmt::format("${}", i)] = fmt::format("ef1b7a61-66c8-494c-bb03-{:012x}", i);
    }
  }

  http::Site site() override { return {{"", door(), gate()}}; }
  void restarted() override { door_.reset(); }
  const char* time_pattern() const override { return R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"; }

  std::string everything() override {
    std::string all = get("/task_manager/ttl") + get("/task_manager/user_ttl");
    const auto modules = testing::parsed_json(get("/task_manager/list_modules"));
    for (const auto& module : modules.as_array()) {
      const std::string name(module.as_string());
      all.append(name).append(get("/task_manager/list_module_tasks/" + name + "?internal=true"));
    }
    return all;
  }

  void answered(const std::string& method, const std::string& target,
                const http::Response& response) override {
    openapi().expect_described(door(), method, target, response);
  }

  bool direct(const std::string& verb, std::istream& rest) override {
    using Directive = void (Stage::*)(std::istream&);
    static const std::map<std::string, Directive> kDirectives{{"keep", &Stage::keep},
                                                              {"no-test-api", &Stage::no_test_api},
                                                              {"tree", &Stage::tree},
                                                              {"fold", &Stage::fold},
                                                              {"operation", &Stage::operation},
                                                              {"start", &Stage::start},
                                                              {"report", &Stage::report},
                                                              {"finish", &Stage::finish},
                                                              {"ordered", &Stage::ordered},
                                                              {"keeps-all", &Stage::keeps_all},
                                                              {"job", &Stage::job},
                                                              {"run", &Stage::run},
                                                              {"end", &Stage::end}};
    const auto found = kDirectives.find(verb);
    if (found == kDirectives.end()) return false;
    (this->*found->second)(rest);
    return true;
  }

 private:
  const std::shared_ptr<const http::Door>& door() {
    if (!door_) door_ = make_scylla_door(docket.loop(), *docket.archive, settings_);
    return door_;
  }

  std::string get(const std::string& target) {
    http::Response response = docket.ask(*door(), "GET", target);
    testing::join_body(docket, response);
    return response.body;
  }

  void keep(std::istream&) {
    settings_.status_unregisters = false;
    door_.reset();
  }

  void no_test_api(std::istream&) {
    settings_.test_api = false;
    door_.reset();
  }

  void post(const std::string& target) {
    EXPECT_EQ(docket.ask(*door(), "POST", target).status, 200) << target;
  }

  void tree(std::istream& rest) {
    int nodes = 0;
    rest >> nodes;
    post("/task_manager_test/test_module");
    for (int i = 0; i < nodes; ++i) {
      std::string target =
          "/task_manager_test/test_task?task_id=" + names.at(fmt::format("${}", i));
      if (i > 0) target += "&parent_id=" + names.at(fmt::format("${}", (i - 1) / 2));
      post(target);
    }
  }

  void fold(std::istream& rest) {
    int nodes = 0;
    std::string failed;
    rest >> nodes >> failed;
    failed = "," + failed + ",";
    for (int i = nodes - 1; i >= 0; --i) {
      const bool fails = failed.find(fmt::format(",{},", i)) != std::string::npos;
      post("/task_manager_test/finish_test_task/" + names.at(fmt::format("${}", i)) +
           (fails ? "?error=broken" : ""));
    }
  }

  // Runs work on the engine, and waits until it is durable.
  void act(std::function<Result<bool>(Engine&, Time)> work) {
    docket.loop().call<bool>(std::move(work), [](const Result<bool>& done) {
      EXPECT_TRUE(done) << done.error().message;
    });
    docket.settle();
  }

  TaskId id_of(const std::string& name) const {
    if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
    const auto told = model::task_of_uuid(name);
    EXPECT_TRUE(told) << "no operation " << name;
    return told.value_or(TaskId{});
  }

  void operation(std::istream& rest) {
    model::Operation what;
    what.module = "maintenance";
    TaskId parent;
    bool begins = true;
    std::string name;
    rest >> name;
    for (std::string word; rest >> word;) {
      const std::size_t equals = std::min(word.find('='), word.size());
      const std::string key = word.substr(0, equals);
      const std::string value = word.substr(std::min(equals + 1, word.size()));
      if (key == "parent") {
        parent = id_of(value);
      } else if (key == "created") {
        begins = false;
      } else {
        ASSERT_TRUE(say(what, key, value)) << word;
      }
    }
    act([&](Engine& engine, Time now) -> Result<bool> {
      const auto made = engine.operations().create(what, parent, begins, now);
      if (!made) return fail(made.error());
      ids_[name] = (*made)->task.id;
      names["$" + name] = model::uuid_of((*made)->task);
      return true;
    });
  }

  void start(std::istream& rest) {
    std::string name;
    rest >> name;
    act([&](Engine& engine, Time now) -> Result<bool> {
      const auto begun = engine.operations().begin(id_of(name), now);
      if (!begun) return fail(begun.error());
      return true;
    });
  }

  void report(std::istream& rest) {
    std::string name;
    engine::Report report{0, 0};
    rest >> name >> *report.completed >> *report.total;
    act([&](Engine& engine, Time now) -> Result<bool> {
      const auto reported = engine.operations().report(id_of(name), report, now);
      if (!reported) return fail(reported.error());
      return true;
    });
  }

  void finish(std::istream& rest) {
    std::string name;
    std::string error;
    std::getline(rest >> name >> std::ws, error);
    const auto ordered = model::task_of_uuid(name);
    if (ordered && !docket.engine().operations().find(*ordered)) {
      return care_.finish(*ordered, error);
    }
    act([&](Engine& engine, Time now) -> Result<bool> {
      if (auto done = engine.operations().finish(id_of(name), error, now); !done) {
        return fail(done.error());
      }
      return true;
    });
  }

  void ordered(std::istream& rest) {
    std::string wanted;
    std::getline(rest >> std::ws, wanted);
    std::string orders;
    for (const TaskId task : care_.fresh()) {
      orders += (orders.empty() ? "" : "; ") + words_of(care_.work_of(task));
    }
    EXPECT_EQ(orders, wanted);
  }

  void keeps_all(std::istream&) {
    docket.settings.retention = Duration::zero();
    docket.restart();
    restarted();
  }

  void job(std::istream& rest) {
    std::string id;
    rest >> id;
    model::JobDefinition made = docket.job(id);
    if (double cpus = 0; rest >> cpus) kinds::change_process(made.spec).cpus = cpus;
    docket.add_job(std::move(made));
  }

  void run(std::istream& rest) {
    std::string id;
    std::string name;
    rest >> id >> name;
    names["$" + name] = model::uuid_of(docket.start(id));
  }

  void end(std::istream& rest) {
    std::string name;
    int code = 0;
    rest >> name >> code;
    const auto run = model::task_of_uuid(names["$" + name]);
    ASSERT_TRUE(run) << "no run " << name;
    docket.finish_attempt(*run, code);
  }

  testing::OrderedCare care_{docket};
  ScyllaSettings settings_{.status_unregisters = true,
                           .test_api = true,
                           .node = "127.0.0.1",
                           .maintenance = &care_.orders()};
  std::shared_ptr<const http::Door> door_;
  std::map<std::string, TaskId> ids_;
};

TEST(ScyllaDocument, HasTheRoutesOfTheDoor) {
  testing::Harness docket;
  const auto door = make_scylla_door(docket.loop(), *docket.archive, {.test_api = true});
  EXPECT_EQ(testing::ApiDocument::operations(*door), openapi().operations());
}

class Transcript : public ::testing::TestWithParam<testing::TranscriptCase> {};

TEST_P(Transcript, IsReproduced) {
  Stage stage;
  testing::TranscriptPlayer(stage).play(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Scylla, Transcript,
                         ::testing::ValuesIn(testing::transcript_cases(DOCKET_TRANSCRIPTS)),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace docket::scylla
