// What still speaks of today's inputs, on real files and a real repository.
#include "app/proof.h"

#include <gmock/gmock.h>

#include <set>

#include "stages/release_fixture.h"

namespace crategate::app {
namespace {

using stages::sample::Project;

class Inputs : public ::testing::Test {
 protected:
  std::string hash(const std::string& settings = "a=b\n") {
    const auto found = hash_inputs(plan, project.configuration.generate, settings, project.workspace, images,
                                   project.files, project.repository);
    EXPECT_TRUE(found) << describe(found.error());
    return found.value_or("");
  }
  Project project;
  sys::Path images;
  pipeline::Plan plan = stages::sample::release_plan(project.configuration);
};

class InputsOf : public Inputs, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    project.write("src/a.py", "1");
    if (GetParam()) project.init();
  }
};

TEST_P(InputsOf, StayTheSameWhenNothingChanged) {
  const std::string before = hash();
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(hash(), before);
  project.write("src/a.py", "1");
  EXPECT_EQ(hash(), before);
}

TEST_P(InputsOf, ChangeWithEverythingThatABuildOrTestReads) {
  std::set<std::string> seen{hash()};
  const auto is_new = [&](const std::string& what, const std::string& settings = "a=b\n") {
    EXPECT_TRUE(seen.insert(hash(settings)).second) << what;
  };
  project.write("src/a.py", "2");
  is_new("content");
  project.write("src/new.py", "");
  is_new("a new file that is not tracked");
  std::filesystem::rename(project / "src/new.py", project / "src/other.py");
  is_new("a new name");
  std::filesystem::remove(project / "src/other.py");
  project.write("VERSION", "v1.2.4\n");
  is_new("the version file");
  std::filesystem::remove(project / "src/a.py");
  is_new("a file that is gone");
  project.write("src/a.py", "");
  is_new("an empty file is not an absent one");
  std::filesystem::permissions(project / "src/a.py", std::filesystem::perms::owner_exec,
                               std::filesystem::perm_options::add);
  is_new("the executable bit");
  is_new("settings", "a=c\n");
  plan.plan_id = "sha256:another";
  is_new("the plan");
}

TEST_P(InputsOf, DoNotConfuseNamesWithContents) {
  project.write("src/a.py", "b.py");
  project.write("src/b.py", "");
  const std::string before = hash();
  project.write("src/a.py", "");
  project.write("src/b.py", "b.py");
  EXPECT_NE(hash(), before);
}

TEST_P(InputsOf, LeaveOutWhatCrategateItselfWrites) {
  const std::string before = hash();
  project.write("tests/logs/test-py3.11-cpu.log", "log");
  project.write(".crategate/plan.json", "{}");
  project.write(".crategate/records/cpu-py3.11/record.json", "{}");
  EXPECT_EQ(hash(), before);
  project.write(".crategate-notes", "not the state directory");
  EXPECT_NE(hash(), before);
}

TEST_P(InputsOf, LeaveOutGeneratedDockerfiles) {
  const std::string before = hash();
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  EXPECT_EQ(hash(), before);
  project.write("docker/Dockerfile.mustache", "FROM x");
  EXPECT_NE(hash(), before);
}

TEST_P(InputsOf, LeaveOutTheStateDirectoryWhereverItIs) {
  for (const sys::Path& state : {sys::Path("build/state"), sys::Path("./build/state"), sys::Path("build//state/"),
                                 project / "build/state", sys::Path("build/../build/state")}) {
    SCOPED_TRACE(state.string());
    project.workspace.state_name = state;
    const std::string before = hash();
    project.write("build/state/plan.json", "{}");
    EXPECT_EQ(hash(), before);
    std::filesystem::remove_all(project / "build");
  }
}

TEST_P(InputsOf, LeaveOutTheImages) {
  images = project / "out/images";
  const std::string before = hash();
  project.write("out/images/blobs/sha256/x", "y");
  EXPECT_EQ(hash(), before);
  project.write("out/other", "y");
  EXPECT_NE(hash(), before);
}

TEST_P(InputsOf, DoNotFollowLinks) {
  project.directory.write("outside", "1");
  project.link(project.directory / "outside", "src/link");
  const std::string before = hash();
  project.directory.write("outside", "2");
  EXPECT_EQ(hash(), before);
}

INSTANTIATE_TEST_SUITE_P(Workspaces, InputsOf, ::testing::Bool(),
                         [](const auto& row) { return row.param ? std::string("Git") : std::string("Plain"); });

TEST_F(Inputs, HoldWhereALinkPoints) {
  project.init();
  project.link("one", "src/link");
  const std::string before = hash();
  project.link("two", "src/link");
  EXPECT_NE(hash(), before);
}

TEST_F(Inputs, LeaveOutIgnoredFilesInARepository) {
  project.write(".gitignore", "cache/\n");
  project.init();
  const std::string before = hash();
  project.write("cache/x", "y");
  EXPECT_EQ(hash(), before);
}

TEST_F(Inputs, HoldADockerfileThatIsKeptByHand) {
  project.configuration.generate.template_file.clear();
  plan = stages::sample::release_plan(project.configuration);
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM x");
  const std::string before = hash();
  project.write("docker/dockerfiles/Dockerfile.cpu-py3.11", "FROM y");
  EXPECT_NE(hash(), before);
}

class Proofs : public stages::sample::Release {
 protected:
  Proofs() {
    make_plan();
    prove(cell());
  }
  std::optional<pipeline::Record> find(const std::string& inputs = "inputs", const Secret& key = {}) {
    const auto found = find_proof(*plan, cell(), inputs, key, project.workspace, project.files, reader);
    EXPECT_TRUE(found) << describe(found.error());
    return found.value_or(std::nullopt);
  }
  void save() { ASSERT_TRUE(save_proof(cell(), "inputs", project.workspace, project.files)); }
};

TEST_F(Proofs, AreTheRecordOfTheSameInputs) {
  EXPECT_FALSE(find());
  save();
  const auto record = find();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->manifest_digest, candidate());
  EXPECT_FALSE(find("other inputs"));
  EXPECT_FALSE(find(""));
}

TEST_F(Proofs, EndWithThePlan) {
  save();
  version = "v1.2.4";
  make_plan();
  EXPECT_FALSE(find());
}

TEST_F(Proofs, EndWithTheCandidate) {
  save();
  std::filesystem::remove(layout.directory() / "blobs/sha256" / candidate().hex());
  EXPECT_FALSE(find());
}

TEST_F(Proofs, NeedNoCandidateWherePolicyStoresNone) {
  policy.candidate = policy.push = policy.latest = false;
  make_plan();
  test_passed(cell(), image_of(cell()));
  ASSERT_TRUE(digest(cell(), false));
  save();
  EXPECT_TRUE(find());
}

TEST_F(Proofs, EndWithARecordThatCannotBeRead) {
  save();
  project.write(".crategate/records/cpu-py3.11/record.json", "{");
  EXPECT_FALSE(find());
  std::filesystem::remove(project / ".crategate/records/cpu-py3.11/record.json");
  EXPECT_FALSE(find());
}

TEST_F(Proofs, EndWithTheTextValueBesideTheRecord) {
  save();
  project.write(".crategate/records/cpu-py3.11/digest-cpu-py3.11.txt", "another\n");
  EXPECT_FALSE(find());
}

TEST_F(Proofs, AreSignedWithTheSecretInForce) {
  save();
  const Secret key(std::string(32, 'k')), other(std::string(32, 'o'));
  EXPECT_FALSE(find("inputs", key));
  auto record = record_of("cpu-py3.11");
  record.signature = pipeline::signature_of(record, key);
  write_record("cpu-py3.11", record);
  EXPECT_TRUE(find("inputs", key));
  EXPECT_FALSE(find("inputs", other));
  EXPECT_TRUE(find("inputs"));
}

TEST_F(Proofs, CannotBeToldWhenTheRegistryIsDown) {
  save();
  reader.down = Error{ErrorCode::unavailable, "down", "", {}, {}, {}};
  EXPECT_EQ(find_proof(*plan, cell(), "inputs", {}, project.workspace, project.files, reader).error().code,
            ErrorCode::unavailable);
}

TEST_F(Proofs, OfChecksAreByInputs) {
  EXPECT_FALSE(checks_proven("inputs", project.workspace, project.files).value());
  ASSERT_TRUE(save_checks("inputs", project.workspace, project.files));
  EXPECT_TRUE(checks_proven("inputs", project.workspace, project.files).value());
  EXPECT_FALSE(checks_proven("others", project.workspace, project.files).value());
}

}  // namespace
}  // namespace crategate::app
