// Which files count for which host.
#include "net/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_directory.h"

namespace crategate::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CertificateDirectory : public ::testing::Test {
 protected:
  Result<TlsMaterials> read() const { return read_certificate_directory(files_, directory_.path()); }
  sys::Path path(const char* name) const { return directory_ / name; }

  test::TestDirectory directory_;
  sys::PosixFileSystem files_;
};

TEST_F(CertificateDirectory, IsReadAsDockerDoes) {
  directory_.write("registry.example:5000/ca.crt", "");
  directory_.write("registry.example:5000/other.crt", "");
  directory_.write("registry.example:5000/client.cert", "");
  directory_.write("registry.example:5000/client.key", "");
  directory_.write("Plain.example/ca.crt", "");
  directory_.write("nothing.example/README", "");
  directory_.write("README", "");
  const auto found = read();
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_EQ(found->size(), 2U);
  const TlsMaterial& material = found->at("registry.example:5000");
  EXPECT_THAT(material.authorities,
              ElementsAre(path("registry.example:5000/ca.crt"), path("registry.example:5000/other.crt")));
  EXPECT_EQ(material.certificate, path("registry.example:5000/client.cert"));
  EXPECT_EQ(material.key, path("registry.example:5000/client.key"));
  EXPECT_TRUE(found->at("plain.example").certificate.empty());
}

TEST_F(CertificateDirectory, MayBeALinkAndMayBeAbsent) {
  directory_.write("elsewhere/ca.crt", "");
  std::filesystem::create_directories(path("certs.d"));
  std::filesystem::create_directory_symlink(path("elsewhere"), path("certs.d/linked.example"));
  EXPECT_EQ(read_certificate_directory(files_, path("certs.d"))->count("linked.example"), 1U);
  EXPECT_TRUE(read_certificate_directory(files_, path("absent"))->empty());
}

struct BadFiles {
  std::vector<const char*> files;
  const char* named;
};

TEST_F(CertificateDirectory, NamesHalfAPairAndASecondOne) {
  const BadFiles rows[] = {{{"client.cert"}, "client.cert: expected client.key"},
                           {{"client.key"}, "client.key: expected client.cert"},
                           {{"a.cert", "a.key", "b.cert", "b.key"}, "b.cert"}};
  for (const BadFiles& row : rows) {
    std::filesystem::remove_all(path("h.example"));
    for (const char* file : row.files) directory_.write(std::string("h.example/") + file, "");
    const auto found = read();
    ASSERT_FALSE(found) << row.named;
    EXPECT_EQ(found.error().code, ErrorCode::bad_input);
    EXPECT_THAT(found.error().message, HasSubstr(row.named));
    EXPECT_THAT(found.error().message, HasSubstr("h.example"));
  }
}

TEST(CertificateMaterial, IsThatOfHostAndPort) {
  const TlsMaterials materials{{"a.example", {.certificate = "usual"}}, {"a.example:5000", {.certificate = "own"}}};
  const auto chosen = [&materials](const char* url) -> std::string {
    const TlsMaterial* material = material_for(materials, Url::parse(url).value());
    return material == nullptr ? "none" : material->certificate.string();
  };
  EXPECT_EQ(chosen("https://a.example/"), "usual");
  EXPECT_EQ(chosen("https://A.example:443/"), "usual");
  EXPECT_EQ(chosen("https://a.example:5000/"), "own");
  EXPECT_EQ(chosen("https://a.example:5001/"), "none");
  EXPECT_EQ(chosen("https://b.example/"), "none");
}

}  // namespace
}  // namespace crategate::net
