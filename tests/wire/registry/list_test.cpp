// Lists that come in pages, and the tag that stands in for a list of referrers.
#include <gmock/gmock.h>

#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::head_reply;
using test::manifest_bytes;
using test::registry_error;
using test::RegistryFixture;
using test::Reply;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const std::string kTags = "/v2/a/b/tags/list";
const oci::Digest kSubject = oci::Digest::of("subject");
const std::string kReferrers = concat("/v2/a/b/referrers/", kSubject.text());
const std::string kFallback = concat("/v2/a/b/manifests/sha256-", kSubject.hex());

Reply page(const std::string& tags, const std::string& next = {}) {
  Reply reply{.body = concat(R"({"name":"a/b","tags":)", tags, "}")};
  if (!next.empty()) reply.headers.emplace_back("Link", concat("<", next, ">; rel=\"next\""));
  return reply;
}

TEST(RegistryTags, AreReadPageByPage) {
  RegistryFixture registry;
  registry.server.expect("GET", kTags, page(R"(["a","b"])", "/v2/a/b/tags/list?last=b&n=2"));
  registry.server.expect("GET", concat(kTags, "?last=b&n=2"), page(R"(["c"])"));
  EXPECT_THAT(registry.client.tags(registry.repository()).value().value(), ElementsAre("a", "b", "c"));
}

TEST(RegistryTags, OfARepositoryWithoutAnyAreNoneAndOfNoRepositoryNothing) {
  RegistryFixture registry;
  registry.server.expect("GET", kTags, page("null"));
  registry.server.expect("GET", kTags, {.status = 404, .body = registry_error("NAME_UNKNOWN")});
  registry.server.expect("GET", kTags, {.status = 404, .body = "<html>"});
  EXPECT_THAT(registry.client.tags(registry.repository()).value().value(), IsEmpty());
  EXPECT_EQ(registry.client.tags(registry.repository()).value(), std::nullopt);
  EXPECT_EQ(registry.client.tags(registry.repository()).error().code, ErrorCode::unavailable);
}

TEST(RegistryTags, A54AreNeverReadFromAnotherHost) {
  RegistryFixture registry(true);
  test::ScriptedHttpServer evil;
  for (const std::string& next : {evil.url("/v2/a/b/tags/list?n=1").text(), std::string("//evil.example/x")}) {
    registry.server.expect("GET", kTags, page(R"(["a"])", next));
    const auto tags = registry.client.tags(registry.repository());
    ASSERT_FALSE(tags) << next;
    EXPECT_EQ(tags.error().code, ErrorCode::integrity);
  }
  EXPECT_THAT(evil.received(), IsEmpty());
}

TEST(RegistryTags, A54WithoutEndAreRefused) {
  RegistryFixture registry;
  int pages = 0;
  registry.server.serve_with({.answer = [&pages](test::ReceivedRequest&) {
    ++pages;
    return page(R"(["a"])", concat("/v2/a/b/tags/list?last=", pages));
  }});
  EXPECT_EQ(registry.client.tags(registry.repository()).error().code, ErrorCode::integrity);
  EXPECT_EQ(pages, 1000);
}

TEST(RegistryTags, ThatAreNoTagsAreRefused) {
  for (const char* tags : {R"(["a/b"])", R"([""])", R"([1])", R"({"a":1})", R"(["a b"])"}) {
    RegistryFixture registry;
    registry.server.expect("GET", kTags, page(tags));
    EXPECT_EQ(registry.client.tags(registry.repository()).error().code, ErrorCode::integrity) << tags;
  }
}

std::string entry(const std::string& mark, const std::string& type) {
  return concat(R"({"mediaType":")", oci::kOciManifest, R"(","digest":")", oci::Digest::of(mark).text(),
                R"(","size":10,"artifactType":")", type, "\"}");
}

Reply index_reply(const std::string& entries, const std::string& next = {}) {
  Reply reply{
      .headers = {{"Content-Type", std::string(oci::kOciIndex)}},
      .body = concat(R"({"schemaVersion":2,"mediaType":")", oci::kOciIndex, R"(","manifests":[)", entries, "]}")};
  if (!next.empty()) reply.headers.emplace_back("Link", concat("<", next, ">; rel=\"next\""));
  return reply;
}

TEST(RegistryReferrers, AreReadPageByPage) {
  RegistryFixture registry;
  registry.server.expect("GET", kReferrers, index_reply(entry("sig", "application/x.sig"), kReferrers + "?next=1"));
  registry.server.expect("GET", kReferrers + "?next=1", index_reply(entry("sbom", "application/x.sbom")));
  const auto found = registry.client.referrers(registry.repository(), kSubject);
  ASSERT_TRUE(found) << describe(found.error());
  ASSERT_THAT(*found, SizeIs(2));
  EXPECT_EQ(found->at(0).artifact_type, "application/x.sig");
  EXPECT_EQ(found->at(1).digest, oci::Digest::of("sbom"));
}

TEST(RegistryReferrers, ComeFromTheFallbackTagWhereThereIsNoApi) {
  RegistryFixture registry;
  registry.server.expect("GET", kReferrers, {.status = 404, .body = "404 page not found"});
  registry.server.expect("GET", kFallback, index_reply(entry("sig", "application/x.sig")));
  registry.server.expect("GET", kFallback, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  EXPECT_THAT(registry.client.referrers(registry.repository(), kSubject).value(), SizeIs(1));
  EXPECT_THAT(registry.client.referrers(registry.repository(), kSubject).value(), IsEmpty()) << "learned";
}

std::string referring() {
  std::string bytes = manifest_bytes();
  bytes.insert(1, concat(R"("artifactType":"application/x.sig","subject":{"mediaType":")", oci::kOciManifest,
                         R"(","digest":")", kSubject.text(), R"(","size":7},)"));
  return bytes;
}

TEST(RegistryReferrers, AreListedByTheRegistryThatSaysSo) {
  RegistryFixture registry;
  const std::string bytes = referring();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  registry.server.expect("PUT", path, {.status = 201, .headers = {{"OCI-Subject", kSubject.text()}}});
  registry.server.expect("HEAD", path, head_reply(bytes));
  EXPECT_TRUE(registry.client.put_manifest(registry.by_digest(oci::Digest::of(bytes)), bytes, oci::kOciManifest));
}

/// A list is written, and read back.
void expect_list(RegistryFixture& registry, std::string& written) {
  registry.server.expect_with("PUT", kFallback, [&written](const test::ReceivedRequest& request) {
    written = request.body;
    return Reply{.status = 201};
  });
  registry.server.expect_with("GET", kFallback,
                              [&written](const auto&) { return test::manifest_reply(written, oci::kOciIndex); });
}

TEST(RegistryReferrers, AreAddedToTheFallbackTagElsewhere) {
  RegistryFixture registry;
  const std::string bytes = referring();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  registry.server.expect("PUT", path, {.status = 201});
  registry.server.expect("HEAD", path, head_reply(bytes));
  registry.server.expect("GET", kFallback, index_reply(entry("older", "application/x.sbom")));
  std::string written;
  expect_list(registry, written);
  const auto put = registry.client.put_manifest(registry.by_digest(oci::Digest::of(bytes)), bytes, oci::kOciManifest);
  ASSERT_TRUE(put) << describe(put.error());
  const auto index = oci::parse_index(written, oci::kOciIndex).value();
  ASSERT_THAT(index.manifests, SizeIs(2));
  EXPECT_EQ(index.manifests[1].digest, oci::Digest::of(bytes));
  EXPECT_EQ(index.manifests[1].artifact_type, "application/x.sig");
}

TEST(RegistryReferrers, AreListedAlsoWhereTheAnswerToTheirPutGotLost) {
  struct Row {
    Reply listed;
    bool written;
  };
  const std::string bytes = referring();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  for (const Row& row : {Row{index_reply(entry(bytes, "application/x.sig")), false},
                         Row{{.status = 404, .body = "404 page not found"}, true}}) {
    RegistryFixture registry;
    Reply plain = page("null");
    plain.headers.emplace_back("Connection", "close");
    registry.server.expect("GET", kTags, plain);
    ASSERT_TRUE(registry.client.tags(registry.repository())) << "it speaks plain HTTP; no connection is warm";
    registry.server.expect("PUT", path, {.reset = true});
    registry.server.expect("HEAD", path, head_reply(bytes));
    registry.server.expect("GET", kReferrers, row.listed);
    std::string written;
    if (row.written) {
      for (int i = 0; i < 2; ++i)
        registry.server.expect("GET", kFallback, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
      expect_list(registry, written);
    }
    const auto put = registry.client.put_manifest(registry.by_digest(oci::Digest::of(bytes)), bytes, oci::kOciManifest);
    ASSERT_TRUE(put) << "B09: " << describe(put.error());
    EXPECT_EQ(written.find(oci::Digest::of(bytes).text()) != std::string::npos, row.written);
  }
}

/// Two processes that add to one list at once: ours is written over by what the other one had read before.
TEST(RegistryReferrers, AreAddedAgainWhereAnotherListWasWrittenOverOurs) {
  RegistryFixture registry;
  const std::string bytes = referring();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  registry.server.expect("PUT", path, {.status = 201});
  registry.server.expect("HEAD", path, head_reply(bytes));
  registry.server.expect("GET", kFallback, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  registry.server.expect("PUT", kFallback, {.status = 201});
  registry.server.expect("GET", kFallback, index_reply(entry("theirs", "application/x.sbom")));
  std::string written;
  expect_list(registry, written);
  const auto put = registry.client.put_manifest(registry.by_digest(oci::Digest::of(bytes)), bytes, oci::kOciManifest);
  ASSERT_TRUE(put) << describe(put.error());
  const auto list = oci::parse_index(written, oci::kOciIndex).value().manifests;
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0].digest, oci::Digest::of("theirs"));
  EXPECT_EQ(list[1].digest, oci::Digest::of(bytes));
  EXPECT_THAT(registry.clock.sleeps(), SizeIs(2)) << "others have a moment to write";
}

TEST(RegistryReferrers, AreAddedAgainAFewTimesOnly) {
  RegistryFixture registry;
  const std::string bytes = referring();
  const std::string path = concat("/v2/a/b/manifests/", oci::Digest::of(bytes).text());
  registry.server.expect("PUT", path, {.status = 201});
  registry.server.expect("HEAD", path, head_reply(bytes));
  for (int i = 0; i < 9; ++i) registry.server.expect("GET", kFallback, index_reply(entry("theirs", "application/x")));
  for (int i = 0; i < 8; ++i) registry.server.expect("PUT", kFallback, {.status = 201});
  const auto put = registry.client.put_manifest(registry.by_digest(oci::Digest::of(bytes)), bytes, oci::kOciManifest);
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::unavailable);
  EXPECT_THAT(put.error().message, testing::HasSubstr("expected the list of referrers as it was written"));
}

struct GoneRow {
  const char* name;
  Reply manifest;             ///< that is deleted
  std::optional<Reply> api;   ///< of the referrers; nullopt = it is not asked
  std::optional<Reply> list;  ///< under the fallback tag; the same
  bool rewritten = false;
};
void PrintTo(const GoneRow& row, std::ostream* out) { *out << row.name; }

class DeletedReferrer : public testing::TestWithParam<GoneRow> {};

TEST_P(DeletedReferrer, LeavesTheListThatWeKeep) {
  const GoneRow& row = GetParam();
  RegistryFixture registry;
  const oci::Digest digest = oci::Digest::of(row.manifest.status == 200 ? row.manifest.body : referring());
  const std::string path = concat("/v2/a/b/manifests/", digest.text());
  registry.server.expect("GET", path, row.manifest);
  registry.server.expect("DELETE", path, {.status = 202});
  if (row.list) registry.server.expect("GET", kFallback, *row.list);
  if (row.api) registry.server.expect("GET", kReferrers, *row.api);
  std::string written;
  if (row.rewritten) expect_list(registry, written);
  const auto removed = registry.client.remove_manifest(registry.by_digest(digest));
  ASSERT_TRUE(removed) << describe(removed.error());
  EXPECT_TRUE(*removed);
  if (!row.rewritten) return;
  const auto list = oci::parse_index(written, oci::kOciIndex).value().manifests;
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0].digest, oci::Digest::of("stays"));
}

const Reply kNoApi{.status = 404, .body = "404 page not found"};

INSTANTIATE_TEST_SUITE_P(
    Rows, DeletedReferrer,
    testing::Values(
        GoneRow{"WithTheOthersStaying", test::manifest_reply(referring()), std::nullopt,
                index_reply(concat(entry("stays", "application/x.sig"), ",", entry(referring(), "application/x.sig"))),
                true},
        GoneRow{"WhichItWasNotOn", test::manifest_reply(referring()), std::nullopt,
                index_reply(entry("stays", "application/x.sig"))},
        GoneRow{"OfWhichThereIsNone", test::manifest_reply(referring()), std::nullopt,
                Reply{.status = 404, .body = registry_error("MANIFEST_UNKNOWN")}},
        GoneRow{"UnlessTheRegistryKeepsIt", test::manifest_reply(referring()), index_reply(""),
                Reply{.status = 404, .body = "<html>"}},
        GoneRow{"UnlessItRefersToNothing", test::manifest_reply(manifest_bytes()), std::nullopt, std::nullopt},
        GoneRow{"UnlessItCannotBeRead", Reply{.status = 404, .body = registry_error("MANIFEST_UNKNOWN")}, std::nullopt,
                std::nullopt}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(DeletedReferrerWhoseListCannotBeWritten, IsSaidToBeGone) {
  RegistryFixture registry;
  const oci::Digest digest = oci::Digest::of(referring());
  const std::string path = concat("/v2/a/b/manifests/", digest.text());
  registry.server.expect("GET", path, test::manifest_reply(referring()));
  registry.server.expect("DELETE", path, {.status = 202});
  registry.server.expect("GET", kFallback, index_reply(entry(referring(), "application/x.sig")));
  registry.server.expect("PUT", kFallback, {.status = 403, .body = registry_error("DENIED")});
  registry.server.expect("GET", kReferrers, kNoApi);
  const auto removed = registry.client.remove_manifest(registry.by_digest(digest));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::forbidden);
  EXPECT_THAT(describe(removed.error()), testing::HasSubstr("was deleted; taking it off the list"));
}

TEST(RegistryDelete, SaysWhetherItWasThereAndWhenItCannot) {
  RegistryFixture registry;
  const std::string tag = "/v2/a/b/manifests/v1";
  registry.server.expect("DELETE", tag, {.status = 202});
  registry.server.expect("DELETE", tag, {.status = 404, .body = registry_error("MANIFEST_UNKNOWN")});
  registry.server.expect("DELETE", tag, {.status = 405, .body = registry_error("UNSUPPORTED")});
  EXPECT_EQ(registry.client.remove_manifest(registry.tag("v1")).value(), true);
  EXPECT_EQ(registry.client.remove_manifest(registry.tag("v1")).value(), false);
  const auto refused = registry.client.remove_manifest(registry.tag("v1"));
  EXPECT_EQ(refused.error().code, ErrorCode::conflict);
  EXPECT_THAT(refused.error().hint, testing::HasSubstr("tags"));
}

}  // namespace
}  // namespace crategate::registry
