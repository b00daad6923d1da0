// RememberingReader: content by its digest is asked for once, what a tag names every time.
#include "registry/remembering_reader.h"

#include <gtest/gtest.h>

#include "support/strict_registry.h"
#include "wire/registry/registry_server.h"

namespace crategate::registry {
namespace {

using test::RequestKind;

struct RememberedContent : testing::Test {
  RememberedContent() {
    strict.add_blob("a/b", "{}");
    strict.add_manifest("a/b", "v1", first, std::string(oci::kOciManifest));
  }
  oci::Repository repository(const std::string& path = "a/b") const { return {strict.host(), path}; }
  std::optional<StoredManifest> by_tag() { return reader.manifest({repository(), "v1", std::nullopt}).value(); }
  std::optional<StoredManifest> by_digest(const std::string& bytes, const std::string& path = "a/b") {
    return reader.manifest({repository(path), std::nullopt, oci::Digest::of(bytes)}).value();
  }
  int gets() const { return strict.count(RequestKind::manifest_get); }

  const std::string first = test::manifest_bytes("first"), second = test::manifest_bytes("second");
  test::FakeClock clock;
  test::StrictRegistry strict{{.clock = &clock}};
  net::PosixHttpClient http;
  HttpRegistry client{http, clock, [](const std::string&) { return std::nullopt; }, {}};
  RememberingReader reader{client};
};

TEST_F(RememberedContent, IsWhatATagNamed) {
  EXPECT_EQ(by_tag()->bytes, first);
  EXPECT_EQ(by_digest(first)->bytes, first);
  EXPECT_EQ(gets(), 1);
}

TEST_F(RememberedContent, SaysNothingOfTags) {
  EXPECT_EQ(by_tag()->bytes, first);
  strict.add_manifest("a/b", "v1", second, std::string(oci::kOciManifest));
  EXPECT_EQ(by_tag()->bytes, second);
  EXPECT_EQ(reader.digest({repository(), "v1", std::nullopt}).value(), oci::Digest::of(second));
  EXPECT_EQ(by_digest(first)->bytes, first);
  EXPECT_EQ(gets(), 2);
}

TEST_F(RememberedContent, IsOfItsRepositoryAlone) {
  strict.add_blob("c/d", "other");
  EXPECT_TRUE(by_tag());
  EXPECT_FALSE(by_digest(first, "c/d"));
}

TEST_F(RememberedContent, IsAskedForAgainWhereItWasNotThere) {
  EXPECT_FALSE(by_digest(second));
  strict.add_manifest("a/b", "v2", second, std::string(oci::kOciManifest));
  EXPECT_TRUE(by_digest(second));
}

TEST_F(RememberedContent, HasSmallBlobsToo) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(reader.blob(repository(), oci::Digest::of("{}"), 2).value(), "{}");
  EXPECT_EQ(strict.count(RequestKind::blob_get), 1);
  EXPECT_FALSE(reader.blob(repository(), oci::Digest::of("{}"), 1)) << "larger than what is asked for";
}

}  // namespace
}  // namespace crategate::registry
