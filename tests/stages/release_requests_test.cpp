// What a push and a release ask the registry, for each image. Nothing here may grow unseen.
// Belongs here: counts of reads.  Not here: what comes of them (push_test, release_test), requests of HTTP (wire).
#include <gmock/gmock.h>

#include "stages/push.h"
#include "stages/release.h"
#include "stages/release_fixture.h"

namespace crategate::stages {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using Counts = std::map<std::string, int>;

/// Counts, for all images together, what is asked for: "GET latest", "HEAD v1.2.3", "GET manifest", "GET blob".
class Counted final : public sample::WatchedReader {
 public:
  using WatchedReader::WatchedReader;
  Result<std::optional<registry::StoredManifest>> manifest(const oci::Reference& reference) override {
    note("GET ", reference);
    return WatchedReader::manifest(reference);
  }
  Result<std::optional<oci::Digest>> digest(const oci::Reference& reference) override {
    note("HEAD ", reference);
    return WatchedReader::digest(reference);
  }
  Result<std::optional<std::string>> blob(const oci::Repository& repository, const oci::Digest& digest,
                                          std::size_t limit) override {
    note("GET ", {repository, "blob", std::nullopt});
    return WatchedReader::blob(repository, digest, limit);
  }
  Counts counts;
  std::function<void(const std::string& what)> then;  ///< before it is answered

 private:
  void note(std::string_view method, const oci::Reference& reference) {
    const std::lock_guard lock(mutex_);
    const std::string what = concat(method, reference.digest ? "manifest" : reference.tag.value_or(""));
    ++counts[what];
    if (then) then(what);
  }
  std::mutex mutex_;
};

class ReleaseRequests : public sample::Release {
 protected:
  using Command = Result<Published> (*)(const PublishInputs&, const PublishServices&);
  /// What `command` asks for.
  Counts cost_of(Command command) {
    counted.counts.clear();
    const auto done = run(command);
    EXPECT_TRUE(done) << describe(done.error());
    return counted.counts;
  }
  Result<Published> run(Command command) {
    const auto services = this->services();
    return command(inputs(), {services.files, services.clock, counted, counted, services.writer, services.journal, {}});
  }
  /// Four images of a version, tested.
  void prepare(const std::string& of) {
    version = of;
    make_plan();
    prove_all(" of " + of);
  }
  Counted counted{store};
};

TEST_F(ReleaseRequests, OfAPushAreTheGateTheTagAndItsTwoLooks) {
  prepare("v1.2.3");
  EXPECT_THAT(cost_of(run_push),
              ElementsAre(Pair("GET blob", 4), Pair("GET manifest", 4), Pair("GET v1.2.3", 4), Pair("HEAD v1.2.3", 8)));
}

TEST_F(ReleaseRequests, OfAReleaseTakeTheManifestFromTheVersionTag) {
  prepare("v1.2.3");
  ASSERT_TRUE(run_push(inputs(), services()));
  EXPECT_THAT(cost_of(run_release), ElementsAre(Pair("GET blob", 4), Pair("GET latest", 4), Pair("GET v1.2.3", 4),
                                                Pair("HEAD latest", 8), Pair("HEAD v1.2.3", 4)));
}

TEST_F(ReleaseRequests, OfTheNextReleaseDoNotAskWhichVersionItLeft) {
  for (const auto* each : {"v1.2.2", "v1.2.3"}) {
    prepare(each);
    ASSERT_TRUE(run_push(inputs(), services()));
    if (version == "v1.2.3") break;
    ASSERT_TRUE(run_release(inputs(), services()));
  }
  // The snapshot, the look before the write and the one behind it; six reads and one write of each image.
  EXPECT_THAT(cost_of(run_release),
              ElementsAre(Pair("GET blob", 4), Pair("GET v1.2.3", 4), Pair("HEAD latest", 12), Pair("HEAD v1.2.3", 4)));
  for (const auto& each : plan->cells) EXPECT_EQ(tag(each.image + ":latest"), candidate(each.key).text());
}

TEST_F(ReleaseRequests, OfAReleaseReadTheLabelOfWhatSomebodyElseWrote) {
  prepare("v2.0.0");
  const auto stranger = store.manifest({oci::parse_repository(cell().image).value(), std::nullopt, candidate()});
  for (const auto* each : {"v1.2.2", "v1.2.3"}) {
    prepare(each);
    ASSERT_TRUE(run_push(inputs(), services()));
    if (version == "v1.2.3") break;
    ASSERT_TRUE(run_release(inputs(), services()));
  }
  const auto latest = tag_reference(cell().image, "latest").value();
  ASSERT_TRUE(store.put_manifest(latest, (*stranger)->bytes, (*stranger)->descriptor.media_type));
  const auto kept = run(run_release);
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_EQ(tag(cell().image + ":latest"), (*stranger)->descriptor.digest.text());
  EXPECT_THAT(kept->changes.moves.front().note, HasSubstr("v2.0.0 is higher than v1.2.3"));
}

TEST_F(ReleaseRequests, OfAReleaseSeeAVersionTagThatMovesAmongTheWrites) {
  prepare("v1.2.3");
  ASSERT_TRUE(run_push(inputs(), services()));
  const auto other = store.manifest(tag_reference("braindotai/opencrate-cuda-py3.13", "v1.2.3").value()).value();
  int looks = 0;
  counted.then = [&](const std::string& what) {
    if (what != "HEAD latest" || ++looks != 4) return;  // the last before the writes
    const auto tag = tag_reference("braindotai/opencrate-cpu-py3.11", "v1.2.3").value();
    EXPECT_TRUE(store.put_manifest(tag, other->bytes, other->descriptor.media_type));
  };
  const auto moved = run(run_release);
  ASSERT_FALSE(moved);
  EXPECT_EQ(exit_code(moved.error().code), 50);
  EXPECT_THAT(moved.error().message, HasSubstr("opencrate-cpu-py3.11:v1.2.3"));
}

TEST_F(ReleaseRequests, OfARepetitionAreTheGateAndOneLook) {
  prepare("v1.2.3");
  ASSERT_TRUE(run_push(inputs(), services()));
  ASSERT_TRUE(run_release(inputs(), services()));
  EXPECT_THAT(cost_of(run_release),
              ElementsAre(Pair("GET blob", 4), Pair("GET v1.2.3", 4), Pair("HEAD latest", 8), Pair("HEAD v1.2.3", 4)));
}

}  // namespace
}  // namespace crategate::stages
