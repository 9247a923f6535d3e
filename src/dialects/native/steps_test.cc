// Runs with steps: jobs of kinds other than process, and their trees.

#include "support/native_fixture.h"

namespace docket::native {
namespace {

class NativeSteps : public NativeTest {
 protected:
  NativeSteps() {
    made = post("/jobs", R"({"id":"tree","kind":"test","spec":{"steps":[
        {"name":"a","steps":[{"name":"x","steps":[{"name":"1"}]}]},{"name":"b"}]}})");
    run = post("/jobs/tree/runs").at("/id");
  }
  Answer made;
  std::string run;
};

TEST_F(NativeSteps, AJobOfAnotherKindHasASpecAndNoRun) {
  EXPECT_EQ(made.status(), 201);
  EXPECT_EQ(made.at("/kind"), "test");
  EXPECT_EQ(made.at("/spec/steps/1/name"), "b");
  EXPECT_FALSE(made.body.as_object().contains("run"));
  EXPECT_EQ(put("/jobs/tree", made.response.body).status(), 200);
  EXPECT_EQ(post("/jobs", R"({"id":"t","kind":"test","spec":{"steps":[{"name":"a/b"}]}})").errors(),
            "/spec/steps/0/name: must be 1 to 64 bytes without '/'");
}

TEST_F(NativeSteps, ATreeHasStepsAtEveryDepthWithTheirKeys) {
  const auto tree = get("/tasks/" + run + "/tree");
  EXPECT_EQ(tree.at("/kind"), "run");
  EXPECT_EQ(tree.at("/children/0/kind"), "step");
  EXPECT_EQ(tree.at("/children/0/key"), "a");
  EXPECT_EQ(tree.at("/children/0/job"), "tree");
  EXPECT_EQ(tree.at("/children/0/operation/module"), "test");
  EXPECT_EQ(tree.at("/children/0/children/0/children/0/key"), "a/x/1");
  EXPECT_EQ(tree.at("/children/0/children/0/children/0/children/0/kind"), "attempt");
  EXPECT_EQ(tree.at("/children/1/state"), "created");
}

TEST_F(NativeSteps, ListsHaveSteps) {
  const auto steps = get("/tasks?kind=step&order=oldest");
  EXPECT_EQ(steps.at("/items/0/key"), "a");
  EXPECT_EQ(steps.body.at("items").as_array().size(), 4U);
  EXPECT_EQ(get("/tasks?kind=operation").body.at("items").as_array().size(), 0U);
  EXPECT_EQ(get("/runs/" + run).at("/attempts"), "[]") << "steps are no attempts";
}

TEST_F(NativeSteps, AStepEndsWithItsRun) {
  const std::string step = get("/tasks/" + run + "/tree").at("/children/1/id");
  EXPECT_EQ(post("/tasks/" + step + "/abort").status(), 403);
  EXPECT_EQ(post("/tasks/" + run + "/abort").status(), 200);
  EXPECT_EQ(get("/tasks/" + step).at("/state"), "aborted");
}

TEST_F(NativeSteps, ARunCanBeAskedForWhatItsKindSupports) {
  const std::string ask = "/tasks/" + run + "/ask";
  EXPECT_EQ(post(ask, R"({"word":"pause"})").at("/state"), "paused");
  EXPECT_EQ(get("/runs/" + run).at("/state"), "paused");
  EXPECT_EQ(post(ask, R"({"word":"pause"})").status(), 409);
  EXPECT_EQ(post(ask, R"({"word":"dance","arguments":{"to":"jazz"}})").status(), 422);
  EXPECT_EQ(post(ask, R"({"word":"resume","arguments":[]})").errors(),
            "/arguments: must be an object");
  EXPECT_EQ(post(ask, R"({"word":"resume"})").at("/state"), "running");
  const std::string step = get("/tasks/" + run + "/tree").at("/children/1/id");
  EXPECT_EQ(post("/tasks/" + step + "/ask", R"({"word":"pause"})").status(), 403);
  EXPECT_EQ(post("/tasks/" + run + "/abort").status(), 200);
  EXPECT_EQ(post(ask, R"({"word":"pause"})").status(), 409) << "it has ended";
  EXPECT_EQ(post("/tasks/99/ask", R"({"word":"pause"})").status(), 404);
}

TEST_F(NativeSteps, ARunThatEndsAfterItsAbortIsStopping) {
  post("/jobs", R"({"id":"slow","kind":"test","spec":{"onStop":"await","steps":[{"name":"a"}]}})");
  const std::string slow = post("/jobs/slow/runs").at("/id");
  const auto asked = post("/tasks/" + slow + "/abort");
  EXPECT_EQ(asked.at("/state"), "running");
  EXPECT_EQ(asked.at("/stopping"), "true");
}

}  // namespace
}  // namespace docket::native
