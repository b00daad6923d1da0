// What each operation costs: the requests, by kind, and the connections. Nothing here may grow unseen.
// Belongs here: counts.  Not here: what an operation answers (read_test, transfer_test, conformance).
#include <gtest/gtest.h>

#include "base/strings.h"
#include "net/transport.h"
#include "oci/media_types.h"
#include "registry/copy.h"
#include "support/fakes.h"
#include "support/strict_registry.h"
#include "sys/parallel.h"

namespace crategate::registry {
namespace {

using test::RegistryAuth;
using test::RegistryQuirk;
using test::RequestKind;
using test::StrictRegistry;

constexpr int kLayers = 8;
constexpr std::size_t kParallel = 16;

std::string descriptor(std::string_view media_type, const std::string& bytes) {
  return concat(R"({"mediaType":")", media_type, R"(","digest":")", oci::Digest::of(bytes).text(), R"(","size":)",
                bytes.size(), "}");
}

std::string manifest_of(const std::string& config, const std::vector<std::string>& layers, const std::string& more) {
  std::string list;
  for (const std::string& each : layers)
    list += concat(list.empty() ? "" : ",", descriptor("application/octet-stream", each));
  return concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciManifest, R"(","config":)",
                descriptor(oci::kOciConfig, config), R"(,"layers":[)", list, "]", more, "}");
}

/// "manifest_get 1, mount 9": what the registry was asked since its log was cleared.
std::string spent(const StrictRegistry& strict) {
  std::string text;
  for (int i = 0; i < test::kRequestKinds; ++i) {
    const auto kind = static_cast<RequestKind>(i);
    const int count = strict.count(kind);
    if (count > 0) text += concat(text.empty() ? "" : ", ", test::name(kind), " ", count);
  }
  return text;
}

/// A registry with an image of eight layers under `a/b:v1`, and a client that it has not seen yet.
struct Scene {
  explicit Scene(RegistryAuth auth = RegistryAuth::none, std::set<RegistryQuirk> quirks = {})
      : strict(options(auth, std::move(quirks))),
        client(
            http, clock,
            [auth](const std::string&) -> Result<std::optional<Credentials>> {
              if (auth == RegistryAuth::none) return std::nullopt;
              return Credentials{test::kWriter, Secret(test::kWriterPassword)};
            },
            RegistryOptions{}) {
    std::vector<std::string> layers;
    for (int i = 0; i < kLayers; ++i) layers.push_back(concat("layer ", i));
    push("config", layers, "v1");
    image = pushed;
  }
  StrictRegistry::Options options(RegistryAuth auth, std::set<RegistryQuirk> quirks) {
    StrictRegistry::Options options;
    options.auth = auth;
    options.rules.quirks = std::move(quirks);
    options.clock = &clock;
    return options;
  }
  void push(const std::string& config, const std::vector<std::string>& layers, const std::string& tag,
            const std::string& more = {}) {
    strict.add_blob("a/b", config);
    for (const std::string& each : layers) strict.add_blob("a/b", each);
    pushed = manifest_of(config, layers, more);
    strict.add_manifest("a/b", tag, pushed, std::string(oci::kOciManifest));
  }
  void sign() { push("{}", {"signature"}, "", concat(R"(,"subject":)", descriptor(oci::kOciManifest, image))); }

  oci::Repository repository(const std::string& path = "a/b") const { return {strict.host(), path}; }
  oci::Reference tag(const std::string& name = "v1", const std::string& path = "a/b") const {
    return {repository(path), name, std::nullopt};
  }
  Result<void> copy(bool with_referrers, const std::string& path = "c/d") {
    CG_CHECK(copy_image(client, tag(), client, client, tag("v1", path), {.with_referrers = with_referrers}));
    return {};
  }
  Result<void> put(const std::string& bytes, std::optional<oci::Repository> mount_from = std::nullopt) {
    const oci::Descriptor blob{"a/b", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
    BlobSource source{.mount_from = std::move(mount_from), .open = [&bytes](std::uint64_t) -> Result<net::BodySource> {
                        return [left = bytes]() mutable -> Result<std::string> { return std::exchange(left, {}); };
                      }};
    CG_CHECK(client.put_blob(repository("c/d"), blob, source));
    return {};
  }
  Result<void> digests(std::size_t count) {
    return sys::for_each_parallel(count, kParallel, [this](std::size_t) -> Result<void> {
      CG_CHECK(client.digest(tag()));
      return {};
    });
  }

  test::FakeClock clock;
  StrictRegistry strict;
  net::PosixHttpClient http;
  HttpRegistry client;
  std::string image, pushed;
};

template <class T>
Result<void> done(Result<T> result) {
  if (!result) return fail(std::move(result).error());
  return {};
}

struct Row {
  const char* name;
  std::function<Result<void>(Scene&)> operate;
  std::string requests;
  std::uint64_t connections = 1;  ///< at most
  RegistryAuth auth = RegistryAuth::none;
  std::function<Result<void>(Scene&)> before = nullptr;  ///< not counted
  std::set<RegistryQuirk> quirks = {};
};
void PrintTo(const Row& row, std::ostream* stream) { *stream << row.name; }

class RegistryRequests : public testing::TestWithParam<Row> {};

TEST_P(RegistryRequests, AreThese) {
  const Row& row = GetParam();
  Scene scene(row.auth, row.quirks);
  if (row.before) {
    const auto prepared = row.before(scene);
    ASSERT_TRUE(prepared) << describe(prepared.error());
  }
  scene.strict.clear_log();
  const std::uint64_t before = scene.http.counts().requests;
  const auto ended = row.operate(scene);
  ASSERT_TRUE(ended) << describe(ended.error());
  EXPECT_EQ(spent(scene.strict), row.requests);
  EXPECT_EQ(scene.http.counts().requests - before, static_cast<std::uint64_t>(scene.strict.requests()));
  EXPECT_LE(scene.http.counts().connections, row.connections);
  EXPECT_EQ(scene.strict.connections(), static_cast<int>(scene.http.counts().connections));
}

const auto kCopy = [](Scene& scene) { return scene.copy(false); };
const auto kCopyWithReferrers = [](Scene& scene) { return scene.copy(true); };
const auto kTag = [](Scene& scene) {
  return done(copy_image(scene.client, scene.tag(), scene.client, scene.client, scene.tag("v2")));
};
const auto kSign = [](Scene& scene) -> Result<void> {
  scene.sign();
  return {};
};

const auto kCopyAndSign = [](Scene& scene) -> Result<void> {
  CG_CHECK(scene.copy(true));
  scene.sign();
  return {};
};
const auto kOther = [](Scene& scene) -> Result<void> {
  scene.strict.add_blob("c/d", "other");
  const std::string other = manifest_of("other", {}, {});
  scene.strict.add_manifest("c/d", "v1", other, std::string(oci::kOciManifest));
  return {};
};

INSTANTIATE_TEST_SUITE_P(
    OfReading, RegistryRequests,
    testing::Values(
        Row{"DigestOfATag", [](Scene& scene) { return done(scene.client.digest(scene.tag())); }, "manifest_head 1"},
        Row{"DigestOfAnAbsentTag", [](Scene& scene) { return done(scene.client.digest(scene.tag("absent"))); },
            "manifest_head 1, manifest_get 1"},
        Row{.name = "DigestOfATagWithATokenLogin",
            .operate = [](Scene& scene) { return done(scene.client.digest(scene.tag())); },
            .requests = "manifest_head 2, token_get 1",
            .auth = RegistryAuth::token},
        Row{.name = "DigestOfATagWithABasicLogin",
            .operate = [](Scene& scene) { return done(scene.client.digest(scene.tag())); },
            .requests = "manifest_head 2",
            .auth = RegistryAuth::basic},
        Row{.name = "DigestOfATagOnceLoggedIn",
            .operate = [](Scene& scene) { return done(scene.client.digest(scene.tag())); },
            .requests = "manifest_head 1",
            .auth = RegistryAuth::token,
            .before = [](Scene& scene) { return done(scene.client.digest(scene.tag())); }},
        Row{"ManifestByDigest",
            [](Scene& scene) {
              return done(scene.client.manifest({scene.repository(), std::nullopt, oci::Digest::of(scene.image)}));
            },
            "manifest_get 1"},
        Row{"TagsOfOnePage", [](Scene& scene) { return done(scene.client.tags(scene.repository())); }, "tags 1"},
        Row{"Referrers",
            [](Scene& scene) { return done(scene.client.referrers(scene.repository(), oci::Digest::of(scene.image))); },
            "referrers 1"},
        Row{"DigestsSideBySide", [](Scene& scene) { return scene.digests(64); }, "manifest_head 64", kParallel},
        Row{.name = "DigestsSideBySideOnceLoggedIn",
            .operate = [](Scene& scene) { return scene.digests(64); },
            .requests = "manifest_head 64",
            .connections = kParallel,
            .auth = RegistryAuth::token,
            .before = [](Scene& scene) { return scene.digests(1); }}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    OfWriting, RegistryRequests,
    testing::Values(Row{"NewBlob", [](Scene& scene) { return scene.put("new"); },
                        "blob_head 1, upload_start 1, upload_end 1"},
                    Row{.name = "BlobThatIsThere",
                        .operate = [](Scene& scene) { return scene.put("new"); },
                        .requests = "blob_head 1",
                        .before = [](Scene& scene) { return scene.put("new"); }},
                    Row{"Mount", [](Scene& scene) { return scene.put("layer 1", scene.repository()); }, "mount 1"},
                    Row{.name = "MountThatOpensAnUpload",
                        .operate = [](Scene& scene) { return scene.put("layer 1", scene.repository()); },
                        .requests = "blob_head 1, mount 1, upload_end 1",
                        .quirks = {RegistryQuirk::no_mount}},
                    Row{"ManifestUnderATag",
                        [](Scene& scene) {
                          return done(scene.client.put_manifest(scene.tag("v2"), scene.image, oci::kOciManifest));
                        },
                        "manifest_head 1, manifest_put 1"}),
    [](const auto& each) { return std::string(each.param.name); });

INSTANTIATE_TEST_SUITE_P(
    OfCopying, RegistryRequests,
    testing::Values(Row{"WithinARepository", kTag, "manifest_head 2, manifest_get 1, manifest_put 1", 2},
                    Row{.name = "WithinARepositoryAgain",
                        .operate = kTag,
                        .requests = "manifest_head 1, manifest_get 1",
                        .connections = 2,
                        .before = kTag},
                    Row{"WithinARegistry", kCopy, "mount 9, manifest_head 2, manifest_get 1, manifest_put 1", 9},
                    Row{.name = "WithinARegistryAgain",
                        .operate = kCopy,
                        .requests = "manifest_head 1, manifest_get 1",
                        .connections = 9,
                        .before = kCopy},
                    Row{.name = "WithinARegistryWhereTheTagNamesAnother",
                        .operate = kCopy,
                        .requests = "mount 9, manifest_head 2, manifest_get 1, manifest_put 1",
                        .connections = 9,
                        .before = kOther},
                    Row{.name = "WithinARegistryWithoutHeadOfManifests",
                        .operate = kCopy,
                        .requests = "mount 9, manifest_get 2, manifest_put 1",
                        .connections = 9,
                        .before = [](Scene& scene) { return done(scene.client.digest(scene.tag())); },
                        .quirks = {RegistryQuirk::no_head}},
                    Row{"WithReferrersOfWhichThereAreNone", kCopyWithReferrers,
                        "mount 9, manifest_head 2, manifest_get 4, manifest_put 1, referrers 1", 13},
                    Row{.name = "WithReferrersOfWhichThereAreNoneAgain",
                        .operate = kCopyWithReferrers,
                        .requests = "manifest_head 1, manifest_get 4, referrers 1",
                        .connections = 13,
                        .before = kCopyWithReferrers},
                    Row{.name = "WithASignature",
                        .operate = kCopyWithReferrers,
                        .requests = "mount 11, manifest_head 3, manifest_get 8, manifest_put 2, referrers 2",
                        .connections = 13,
                        .before = kSign},
                    Row{.name = "WithASignatureThatIsNewSince",
                        .operate = kCopyWithReferrers,
                        .requests = "mount 2, manifest_head 2, manifest_get 8, manifest_put 1, referrers 2",
                        .connections = 13,
                        .before = kCopyAndSign},
                    Row{.name = "WithATokenLoginAgain",
                        .operate = kCopy,
                        .requests = "manifest_head 1, manifest_get 1",
                        .connections = 9,
                        .auth = RegistryAuth::token,
                        .before = kCopy}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RegistryRequestsOfACopy, ToAnotherRegistryAreThese) {
  Scene from, to;
  const auto copied = [&] { return copy_image(from.client, from.tag(), to.client, to.client, to.tag("v1", "c/d")); };
  ASSERT_TRUE(copied());
  EXPECT_EQ(spent(from.strict), "blob_get 9, manifest_get 4, referrers 1");
  EXPECT_EQ(spent(to.strict), "blob_head 9, upload_start 9, upload_end 9, manifest_head 2, manifest_put 1");
  EXPECT_LE(from.http.counts().connections, 13U);
  EXPECT_LE(to.http.counts().connections, 9U);
  from.strict.clear_log();
  to.strict.clear_log();
  ASSERT_TRUE(copied());
  EXPECT_EQ(spent(from.strict), "manifest_get 4, referrers 1") << "what is there is not read again";
  EXPECT_EQ(spent(to.strict), "manifest_head 1");
}

/// The source and the target are asked side by side: who comes first decides how many are challenged, and whether the
/// token of the one serves the other.
TEST(RegistryRequestsOfACopy, WithATokenLoginAreFew) {
  Scene scene(RegistryAuth::token);
  ASSERT_TRUE(scene.copy(false));
  EXPECT_EQ(scene.strict.count(RequestKind::mount), 9);
  EXPECT_EQ(scene.strict.count(RequestKind::manifest_put), 1);
  EXPECT_LE(scene.strict.count(RequestKind::manifest_get), 2);
  EXPECT_LE(scene.strict.count(RequestKind::manifest_head), 3);
  EXPECT_LE(scene.strict.count(RequestKind::token_get), 2);
}

/// Who is first is challenged, and so is whoever asks meanwhile; the token is asked for once.
TEST(RegistryRequestsSideBySide, BeginWithOneTokenForAll) {
  Scene scene(RegistryAuth::token);
  ASSERT_TRUE(scene.digests(64));
  EXPECT_EQ(scene.strict.count(RequestKind::token_get), 1);
  EXPECT_LE(scene.strict.count(RequestKind::manifest_head), 64 + static_cast<int>(kParallel));
  EXPECT_LE(scene.http.counts().connections, kParallel);
}

}  // namespace
}  // namespace crategate::registry
