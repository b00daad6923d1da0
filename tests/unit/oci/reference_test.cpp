// References in docker's normal form.
#include "oci/reference.h"

#include <gmock/gmock.h>

#include "base/strings.h"

namespace crategate::oci {
namespace {

using testing::HasSubstr;

const std::string kDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Reference, HasDockersNormalForm) {
  const struct {
    std::string text, full, familiar;
  } rows[] = {
      {"ubuntu", "docker.io/library/ubuntu", "ubuntu"},
      {"ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"},
      {"library/ubuntu", "docker.io/library/ubuntu", "ubuntu"},
      {"docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"},
      {"docker.io/library/ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"},
      {"index.docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"},
      {"index.docker.io/a/b", "docker.io/a/b", "a/b"},
      {"braindotai/opencrate-cpu-py3.10:v0.1.0rc3", "docker.io/braindotai/opencrate-cpu-py3.10:v0.1.0rc3",
       "braindotai/opencrate-cpu-py3.10:v0.1.0rc3"},
      {"docker.io/ghcr.io/a", "docker.io/ghcr.io/a", "docker.io/ghcr.io/a"},
      {"docker.io/localhost/a:1", "docker.io/localhost/a:1", "docker.io/localhost/a:1"},
      {"library/a/b", "docker.io/library/a/b", "library/a/b"},
      {"docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"},
      {"localhost/x", "localhost/x", "localhost/x"},
      {"localhost", "docker.io/library/localhost", "localhost"},
      {"localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"},
      {"localhost:5000/x", "localhost:5000/x", "localhost:5000/x"},
      {"localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y"},
      {"127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1", "127.0.0.1:5000/a/b:1"},
      {"[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"},
      {"[2001:db8::1]/a:t", "[2001:db8::1]/a:t", "[2001:db8::1]/a:t"},
      {"ghcr.io/flyteorg/flyte/ci:latest", "ghcr.io/flyteorg/flyte/ci:latest", "ghcr.io/flyteorg/flyte/ci:latest"},
      {"registry-1.docker.io/a", "registry-1.docker.io/a", "registry-1.docker.io/a"},
      {"REGISTRY.example/a", "REGISTRY.example/a", "REGISTRY.example/a"},
      {"Host/a", "Host/a", "Host/a"},
      {"host/a", "docker.io/host/a", "host/a"},
      {"a.b/c", "a.b/c", "a.b/c"},
      {"a.b", "docker.io/library/a.b", "a.b"},
      {"a__b/c---d/e_f.g", "docker.io/a__b/c---d/e_f.g", "a__b/c---d/e_f.g"},
      {"a:_t", "docker.io/library/a:_t", "a:_t"},
      {"a:T-.x", "docker.io/library/a:T-.x", "a:T-.x"},
      {"a@" + kDigest, "docker.io/library/a@" + kDigest, "a@" + kDigest},
      {"h:1/a:t@" + kDigest, "h:1/a:t@" + kDigest, "h:1/a:t@" + kDigest},
      {"a:" + std::string(128, 't'), "docker.io/library/a:" + std::string(128, 't'), "a:" + std::string(128, 't')},
      {kDigest.substr(7) + ":t", "docker.io/library/" + kDigest.substr(7) + ":t", kDigest.substr(7) + ":t"},
      {kDigest.substr(8), "docker.io/library/" + kDigest.substr(8), kDigest.substr(8)},
  };
  for (const auto& row : rows) {
    const auto reference = parse_reference(row.text);
    ASSERT_TRUE(reference.has_value()) << row.text << ": " << reference.error().message;
    EXPECT_EQ(reference->full(), row.full) << row.text;
    EXPECT_EQ(reference->familiar(), row.familiar) << row.text;
    EXPECT_EQ(parse_reference(reference->full()).value(), *reference) << row.text;
    EXPECT_EQ(parse_reference(reference->familiar()).value(), *reference) << row.text;
  }
}

TEST(Reference, IsTakenApart) {
  const Reference reference = parse_reference("localhost:5000/a/b:t@" + kDigest).value();
  EXPECT_EQ(reference.repository.registry, "localhost:5000");
  EXPECT_EQ(reference.repository.path, "a/b");
  EXPECT_EQ(reference.tag, "t");
  EXPECT_EQ(reference.digest->text(), kDigest);
  EXPECT_EQ(parse_reference("a").value().tag, std::nullopt) << "latest is never implied";
}

TEST(Reference, RefusesWithTheRuleThatIsBroken) {
  const struct {
    std::string text;
    std::string_view message;
  } rows[] = {
      {"", "expected a repository, found nothing"},
      {":t", "expected a repository, found nothing"},
      {"@" + kDigest, "expected a repository, found nothing"},
      {"a:", "expected a tag"},
      {"a:.t", "expected a tag"},
      {"a:-t", "expected a tag"},
      {"a:t t", "expected a tag"},
      {"a:" + std::string(129, 't'), "expected a tag"},
      {"a:v1.0.0+meta", "expected a tag"},
      {"a:t:u", "found \"a:t\""},
      {"a@", "digest: expected sha256"},
      {"a@sha256:abc", "digest: expected sha256"},
      {"a@" + kDigest + ":t", "digest: expected sha256"},
      {"a@" + kDigest + "@" + kDigest, "digest: expected sha256"},
      {"Ubuntu", "expected a repository in lower case"},
      {"a/B", "expected a repository in lower case"},
      {"BraindotAI/OpenCrate", "expected a repository in lower case"},
      {"-a", "expected lower-case letters and digits"},
      {"a-", "expected lower-case letters and digits"},
      {"a..b", "expected lower-case letters and digits"},
      {"a___b", "expected lower-case letters and digits"},
      {"a._b", "expected lower-case letters and digits"},
      {"a/_b", "expected lower-case letters and digits"},
      {"a b", "expected lower-case letters and digits"},
      {"a\nb", R"(found "a\nb")"},
      {"a$(id)", "expected lower-case letters and digits"},
      {"\xD0\xB0pp", "expected lower-case letters and digits"},
      {"/a", "expected a name between the slashes"},
      {"a/", "expected a name between the slashes"},
      {"a//b", "expected a name between the slashes"},
      {"localhost:5000/", "expected a name between the slashes"},
      {"https://h.io/a", "expected a name between the slashes"},
      {"../a", "expected a registry host"},
      {"h..io/a", "expected a registry host"},
      {"-h.io/a", "expected a registry host"},
      {"h_x.io/a", "expected a registry host"},
      {"h.io:/a", "expected a registry host"},
      {"h.io:x/a", "expected a registry host"},
      {"user:pass@h.io/a", "digest: expected sha256"},
      {"[::1/a", "expected a registry host"},
      {"[g::1]/a", "expected a registry host"},
      {"d\xC3\xB6"
       "cker.io/a",
       "expected a registry host"},
      {kDigest.substr(7), "an image ID"},
      {std::string(256, 'a'), "at most 255 characters"},
      {"h.io/" + std::string(256, 'a'), "at most 255 characters, found 256"},
  };
  for (const auto& row : rows) {
    const auto reference = parse_reference(row.text);
    ASSERT_FALSE(reference.has_value()) << row.text;
    EXPECT_EQ(reference.error().code, ErrorCode::bad_input) << row.text;
    EXPECT_THAT(reference.error().message, HasSubstr(row.message)) << row.text;
    EXPECT_THAT(reference.error().message, HasSubstr(quoted(row.text, 255))) << row.text;
  }
  EXPECT_TRUE(parse_reference("h.io/" + std::string(255, 'a')).has_value());
  EXPECT_EQ(parse_reference("a/OpenCrate").error().hint, "write a/opencrate");
}

TEST(Repository, TakesNoTagAndNoDigest) {
  EXPECT_EQ(parse_repository("localhost:5000/a").value().full(), "localhost:5000/a");
  EXPECT_EQ(parse_repository("ubuntu").value(), (Repository{"docker.io", "library/ubuntu"}));
  for (const std::string& text :
       {std::string("a:t"), std::string("h:1/a:t"), "a@" + kDigest, std::string("localhost:5000")}) {
    const auto repository = parse_repository(text);
    ASSERT_FALSE(repository.has_value()) << text;
    EXPECT_THAT(repository.error().message, HasSubstr("without a tag")) << text;
  }
  EXPECT_FALSE(parse_repository("A").has_value());
}

TEST(Tag, FollowsTheGrammar) {
  for (const std::string_view text : {"latest", "v0.1.0rc3", "_", "A.b-c_d", "1"}) {
    EXPECT_EQ(parse_tag(text).value(), text);
  }
  for (const std::string_view text :
       {"", ".", "..", "-rc", "--privileged", "a/b", "a:b", "a+b", "a b", "a\n", "\xC3\xA4"}) {
    EXPECT_FALSE(parse_tag(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace crategate::oci
