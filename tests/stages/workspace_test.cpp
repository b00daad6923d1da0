// The documents that stages hand to each other.
#include "stages/workspace.h"

#include <gmock/gmock.h>

#include "stages/project.h"

namespace crategate::stages {
namespace {

using ::testing::HasSubstr;

class WorkspaceFiles : public ::testing::Test {
 protected:
  Result<pipeline::Plan> load(const std::string& given) { return load_plan(project.files, project.workspace, given); }
  sample::Project project;
  pipeline::Plan plan = sample::release_plan(project.configuration);
  std::string text = pipeline::to_json(plan);
};

TEST_F(WorkspaceFiles, GiveAPlanFromStateFileOrText) {
  EXPECT_EQ(load(text).value(), plan);
  EXPECT_EQ(load("  \n" + text).value(), plan);
  project.write("other.json", text);
  EXPECT_EQ(load((project / "other.json").string()).value(), plan);
  ASSERT_TRUE(write_state(project.files, project.workspace, kPlanFile, text));
  EXPECT_EQ(load("").value(), plan);
}

TEST_F(WorkspaceFiles, SayWhichCommandMakesAPlan) {
  EXPECT_EQ(load("").error().code, ErrorCode::bad_input);
  EXPECT_THAT(load("").error().hint, HasSubstr("crategate plan"));
  EXPECT_THAT(load("/nowhere/plan.json").error().message, HasSubstr("/nowhere/plan.json"));
}

TEST_F(WorkspaceFiles, RefuseAPlanThatWasEdited) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"v1.2.3", "v1.2.4"},
                                 {"\"push\":true", "\"push\":false"},
                                 {"\"schema\":1", "\"schema\":2"},
                                 {"{\"", "{\"more\":1,\""}}) {
    const std::string edited = replace_all(text, from, to);
    ASSERT_NE(edited, text) << from;
    ASSERT_TRUE(write_state(project.files, project.workspace, kPlanFile, edited));
    EXPECT_EQ(load("").error().code, ErrorCode::bad_input) << from;
  }
}

TEST_F(WorkspaceFiles, NeverComeThroughALink) {
  project.directory.write("plan.json", text);
  project.link(project.directory / "plan.json", ".crategate/plan.json");
  EXPECT_EQ(load("").error().code, ErrorCode::bad_input);
}

TEST_F(WorkspaceFiles, FindACellOrListTheCells) {
  EXPECT_EQ(find_cell(plan, "cuda-py3.13").value().key, "cuda-py3.13");
  const auto near = find_cell(plan, "cuda-py3.14").error();
  EXPECT_EQ(near.code, ErrorCode::bad_input);
  EXPECT_THAT(near.hint, AllOf(HasSubstr("Did you mean cuda-py3.1"), HasSubstr("cpu-py3.11, cuda-py3.11")));
  EXPECT_THAT(find_cell(plan, "").error().hint, HasSubstr("--cell KEY"));
  EXPECT_EQ(find_cell(plan, "", {"runtime=cuda", "python=3.13"}).value().key, "cuda-py3.13");
  EXPECT_EQ(find_cell(plan, "cuda-py3.13", {"python=3.11", "python=3.13"}).value().key, "cuda-py3.13");
  EXPECT_THAT(find_cell(plan, "", {"runtime=cuda"}).error().message, HasSubstr("one cell with runtime=cuda, found 2"));
  EXPECT_THAT(find_cell(plan, "", {"runtime=tpu"}).error().message, HasSubstr("found 0"));
  EXPECT_THAT(find_cell(plan, "cuda-py3.13", {"runtime=cpu"}).error().message,
              HasSubstr("a cell with runtime=cpu, found \"cuda-py3.13\""));
  plan.cells.clear();
  EXPECT_THAT(find_cell(plan, "x").error().hint, HasSubstr("no cells"));
}

TEST_F(WorkspaceFiles, MayLieOutsideOfTheWorkspace) {
  project.workspace.state_name = project.directory / "state";
  ASSERT_TRUE(write_state(project.files, project.workspace, kPlanFile, text));
  EXPECT_EQ(project.directory.read("state/plan.json"), text);
  EXPECT_EQ(load("").value(), plan);
}

TEST_F(WorkspaceFiles, AppendMovesOfOnePlanAndForgetThoseOfAnother) {
  const pipeline::TagMove move{.cell = "a", .repository = "r", .tag = "t", .from = {}, .to = oci::Digest::of("x")};
  ASSERT_TRUE(append_moves(project.files, project.workspace, plan, {}, {}));
  EXPECT_FALSE(project.exists(".crategate/moves.json"));
  ASSERT_TRUE(append_moves(project.files, project.workspace, plan, {move}, {}));
  pipeline::TagMove second = move;
  second.tag = "u";
  ASSERT_TRUE(append_moves(project.files, project.workspace, plan, {move, second}, {}));
  EXPECT_EQ(load_moves(project.files, project.workspace, plan).value().size(), 2U) << "each once";
  auto kept = second;
  kept.needed = false;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(append_moves(project.files, project.workspace, plan, {kept}, {}));
  EXPECT_EQ(load_kept(project.files, project.workspace, plan).value(), std::vector{kept}) << "apart";
  EXPECT_EQ(load_moves(project.files, project.workspace, plan).value().size(), 2U);
  auto other = plan;
  other.plan_id = "sha256:other";
  ASSERT_TRUE(append_moves(project.files, project.workspace, other, {move}, {}));
  EXPECT_EQ(load_moves(project.files, project.workspace, other).value().size(), 1U);
  EXPECT_EQ(load_moves(project.files, project.workspace, plan).value().size(), 0U);
}

TEST_F(WorkspaceFiles, RefuseDamagedDocuments) {
  const std::string without_fields = concat(R"({"plan_id":")", plan.plan_id, R"(","moves":[{}]})");
  for (const std::string& bad : {std::string(), std::string("{"), std::string("[]"), without_fields}) {
    project.write(".crategate/moves.json", bad);
    const auto moves = load_moves(project.files, project.workspace, plan);
    ASSERT_FALSE(moves) << bad;
    EXPECT_THAT(moves.error().hint, HasSubstr("Delete .crategate/moves.json")) << bad;
  }
  for (const std::string bad : {"", "{", "[]", R"({"plan_id":"x"})"}) {
    project.write(".crategate/builds/cpu-py3.11.json", bad);
    EXPECT_EQ(load_built(project.files, project.workspace, plan, "cpu-py3.11").has_value(), bad.empty()) << bad;
    project.write(".crategate/tests/cpu-py3.11.json", bad);
    const auto result = load_test_result(project.files, project.workspace, plan, "cpu-py3.11");
    // A withdrawn result is an empty file and reads as absent; anything else that is no result is refused.
    EXPECT_EQ(result.has_value(), bad.empty()) << bad;
    if (result) {
      EXPECT_FALSE(result->has_value());
    }
  }
}

}  // namespace
}  // namespace crategate::stages
