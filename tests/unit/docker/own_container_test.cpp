// Which container this is: traces on a file system of the test's own, and the engine's word.
#include "docker/own_container.h"

#include <gmock/gmock.h>

#include "base/strings.h"
#include "docker/engine_api.h"
#include "support/fakes.h"
#include "support/test_directory.h"
#include "unit/docker/fake_http_client.h"

namespace crategate::docker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kMine(64, 'a'), kOther(64, 'b');

/// A container of the engine.
struct Known {
  std::string id;
  std::string output = {};  ///< GITHUB_OUTPUT that it was started with
  std::string destination = "/github/workspace";
  std::string image = "sha256:1";
  std::string source = "/work";
  std::string status = "running";
  std::string volume = {};  ///< empty = a bind
};

struct Machine {
  Machine() {
    root.write(".dockerenv", "");
    root.write("proc/sys/kernel/hostname", kMine.substr(0, 12) + "\n");
    root.write(
        "proc/self/mountinfo",
        concat("1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 /var/lib/docker/containers/", kMine,
               "/hostname /etc/hostname rw - ext4 /dev/a rw\n3 1 0:2 /work /github/workspace rw - ext4 /dev/a rw\n"
               "4 1 0:2 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw\n5 1 0:2 /x /with\\040space rw - a b c\n"
               "broken\n"));
  }
  Result<std::optional<OwnContainer>> find() {
    test::FakeHttpClient http([this](const net::Request& request) { return answer(request.url.target); });
    EngineApi api(http, "/s");
    auto found = find_own_container(api, read_surroundings(environment, root.path()));
    asked = http.sent().size();
    return found;
  }
  net::Response answer(const std::string& target) const {
    if (target == "/version")
      return test::answer(200, R"({"Version":"26","ApiVersion":"1.45","MinAPIVersion":"1.24"})");
    if (target.starts_with("/v1.41/containers/json")) {
      const bool every = target.find("all=true") != std::string::npos;
      std::vector<std::string> rows;
      for (const Known& each : known)
        if (each.status == "running" || (every && target.find(each.status) != std::string::npos))
          rows.push_back(concat(R"({"Id":")", each.id, R"("})"));
      return test::answer(200, concat("[", join(rows, ","), "]"));
    }
    for (const Known& each : known) {
      for (const std::string& id : {each.id, each.id.substr(0, 12)}) {
        if (target == concat("/v1.41/containers/", id, "/json")) return inspection(each);
      }
    }
    return test::answer(404, R"({"message":"No such container"})");
  }
  static net::Response inspection(const Known& each) {
    return test::answer(
        200,
        concat(R"({"Id":")", each.id, R"(","Image":")", each.image, R"(","Config":{"Env":["PATH=/bin","GITHUB_OUTPUT=)",
               each.output, R"("]},"Mounts":[{"Type":")", each.volume.empty() ? "bind" : "volume", R"(","Name":")",
               each.volume, R"(","Source":")", each.source, R"(","Destination":")", each.destination,
               R"(","RW":true},{"Type":"bind","Source":"/var/run/docker.sock","Destination":"/var/run/docker.sock",)"
               R"("RW":true}]})"));
  }
  test::TestDirectory root;
  test::FakeEnvironment environment;
  std::vector<Known> known;
  std::size_t asked = 0;
};

TEST(OwnContainer, IsTheOneWhoseIdIsTheHostName) {
  Machine machine;
  machine.root.write("run/docker.sock", "");
  std::filesystem::create_directories(machine.root / "var");
  std::filesystem::create_directory_symlink("../run", machine.root / "var/run");
  machine.known = {{.id = kMine, .image = "sha256:7"}};
  const auto found = machine.find().value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, kMine);
  EXPECT_EQ(found->image_id, "sha256:7");
  ASSERT_EQ(found->mounts.size(), 2U);
  EXPECT_EQ(found->mounts[0].destination, "/github/workspace");
  EXPECT_EQ(found->mounts[1].destination, "/run/docker.sock") << "as the kernel names it";
}

TEST(OwnContainer, IsFoundByItsMountsWhenTheHostNameIsTheMachines) {
  Machine machine;
  machine.root.write("proc/sys/kernel/hostname", "runner-7\n");
  std::filesystem::create_directories(machine.root / "run");
  std::filesystem::create_directories(machine.root / "var");
  std::filesystem::create_directory_symlink("../run", machine.root / "var/run");
  machine.known = {{.id = kMine}};
  EXPECT_TRUE(machine.find().value());
}

struct StepMachine : Machine {
  StepMachine() {
    environment.set("GITHUB_OUTPUT", "/github/file_commands/set_output_1");
    std::filesystem::create_directories(root / "run");
    std::filesystem::create_directories(root / "var");
    std::filesystem::create_directory_symlink("../run", root / "var/run");
  }
};

TEST(OwnContainer, IsTheOneOfThisStepWhenTheNetworkIsAnothers) {
  StepMachine machine;
  machine.known = {{.id = kMine, .image = "job"},
                   {.id = std::string(64, 'c'), .output = "/github/file_commands/set_output_2", .image = "sibling"},
                   {.id = kOther, .output = "/github/file_commands/set_output_1", .image = "action"}};
  EXPECT_EQ(machine.find().value()->image_id, "action");
}

TEST(OwnContainer, IsFoundWhileABusyEngineStillStartsIt) {
  StepMachine machine;
  machine.known = {
      {.id = kMine, .image = "job"},
      {.id = kOther, .output = "/github/file_commands/set_output_1", .image = "action", .status = "created"},
      {.id = std::string(64, 'c'),
       .output = "/github/file_commands/set_output_1",
       .image = "over",
       .status = "exited"}};
  EXPECT_EQ(machine.find().value()->image_id, "action");
}

TEST(OwnContainer, IsTheJobsForAStepThatRunsInIt) {
  StepMachine machine;
  machine.known = {{.id = kMine, .image = "job"}, {.id = kOther, .image = "other"}};
  EXPECT_EQ(machine.find().value()->image_id, "job");
}

// Two jobs whose steps have the same mounts, as a runner starts them that shares the job's network (act).
TEST(OwnContainer, IsToldApartByWhatIsMounted) {
  StepMachine machine;
  const std::string output = "/github/file_commands/set_output_1";
  machine.known = {{.id = kMine, .image = "job"},
                   {.id = std::string(64, 'c'), .output = output, .image = "sibling", .source = "/other"},
                   {.id = kOther, .output = output, .image = "action"}};
  EXPECT_EQ(machine.find().value()->image_id, "action");
  std::swap(machine.known[1], machine.known[2]);
  EXPECT_EQ(machine.find().value()->image_id, "action");
}

// The engine's own folder may be another mount's: then paths do not end alike.
TEST(OwnContainer, IsToldApartByTheNamesOfItsVolumes) {
  StepMachine machine;
  machine.root.write("proc/self/mountinfo",
                     "1 0 0:1 / / rw - overlay overlay rw\n"
                     "3 1 0:2 /disk/volumes/job-1/_data /github/workspace rw - ext4 /dev/a rw\n"
                     "4 1 0:2 /docker.sock /run/docker.sock rw - tmpfs tmpfs rw\n");
  const std::string output = "/github/file_commands/set_output_1";
  machine.known = {
      {.id = std::string(64, 'c'), .output = output, .source = "/data/volumes/job-2/_data", .volume = "job-2"},
      {.id = kOther, .output = output, .source = "/data/volumes/job-1/_data", .volume = "job-1"},
      {.id = kMine, .output = output, .source = "/data/volumes/1/_data", .volume = "1"}};
  EXPECT_EQ(machine.find().value()->id, kOther);
}

TEST(OwnContainer, IsNotGuessed) {
  StepMachine machine;
  const std::string output = "/github/file_commands/set_output_1";
  machine.known = {{.id = std::string(64, 'c'), .output = output, .source = "/a-link"},
                   {.id = kOther, .output = output, .source = "/b-link"}};
  EXPECT_THAT(machine.find().error().message, testing::HasSubstr("found 2"));
  machine.known.pop_back();
  EXPECT_EQ(machine.find().value()->id, std::string(64, 'c')) << "a link on the way, but no other one";
}

TEST(OwnContainer, IsNoneWhoseMountsAreNotHere) {
  StepMachine machine;
  machine.known = {{.id = kMine, .output = "/github/file_commands/set_output_1", .destination = "/elsewhere"}};
  EXPECT_EQ(machine.find().value().has_value(), false);
}

TEST(OwnContainer, IsNoneThatTheEngineDoesNotKnow) {
  StepMachine machine;
  EXPECT_EQ(machine.find().value().has_value(), false);
}

TEST(OwnContainer, IsNotAskedForOutsideOfContainers) {
  Machine machine;
  std::filesystem::remove(machine.root / ".dockerenv");
  machine.root.write("proc/self/mountinfo", "1 0 0:1 / / rw - ext4 /dev/a rw\n");
  EXPECT_EQ(machine.find().value().has_value(), false);
  EXPECT_EQ(machine.asked, 0U);
}

TEST(Surroundings, AreReadFromTheKernelsLists) {
  const Machine machine;
  const auto seen = read_surroundings(machine.environment, machine.root.path());
  EXPECT_TRUE(seen.in_container);
  EXPECT_THAT(seen.ids, ElementsAre(kMine.substr(0, 12), kMine));
  EXPECT_THAT(seen.mounts, testing::Contains(testing::Field(&SeenMount::point, "/with space")));
  const test::TestDirectory bare;
  EXPECT_FALSE(read_surroundings(machine.environment, bare.path()).in_container);
  EXPECT_THAT(read_surroundings(machine.environment, bare.path()).ids, IsEmpty());
}

TEST(OwnContainer, EngineTroubleIsAnError) {
  StepMachine machine;
  test::FakeHttpClient http([](const net::Request&) { return test::answer(500, R"({"message":"busy"})"); });
  EngineApi api(http, "/s");
  const auto found = find_own_container(api, read_surroundings(machine.environment, machine.root.path()));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::engine);
  EXPECT_THAT(found.error().message, HasSubstr("busy"));
}

}  // namespace
}  // namespace crategate::docker
