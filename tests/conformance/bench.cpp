// Content, clients, and the list of what stays behind.
#include "conformance/bench.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <ostream>

#include "base/strings.h"
#include "conformance/left_behind.h"

namespace crategate::conformance {
namespace {

using json::Value;

std::string octal(std::uint64_t value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%0*llo", digits, static_cast<unsigned long long>(value));
  return text;
}

std::string image_config(const std::string& mark, const std::vector<std::string>& layers) {
  std::vector<std::string> ids;
  for (const std::string& layer : layers) ids.push_back(oci::Digest::of(layer).text());
  return Value::object({{"architecture", "amd64"},
                        {"os", "linux"},
                        {"config", Value::object({{"Labels", Value::object({{"mark", mark}})}})},
                        {"rootfs", Value::object({{"type", "layers"}, {"diff_ids", Value::array_of(ids)}})}})
      .canonical();
}

std::string joined(const std::vector<std::string>& items) { return concat("[", join(items, ","), "]"); }

}  // namespace

std::string archive(const std::string& file, const std::string& content) {
  std::string header(512, '\0');
  const auto put = [&header](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  put(0, file);
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, octal(content.size(), 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\0", 6) + "00");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  std::string whole = header + content;
  whole.resize((whole.size() + 511) / 512 * 512 + 1024, '\0');
  return whole;
}

std::string descriptor_json(std::string_view media_type, std::string_view bytes) {
  return concat(R"({"mediaType":")", media_type, R"(","digest":")", oci::Digest::of(bytes).text(), R"(","size":)",
                bytes.size(), "}");
}

Image make_image(const std::string& mark, bool docker, const std::string& subject) {
  Image image;
  image.layers = {archive("one", "one of " + mark), archive("two", std::string(3000, '2') + mark)};
  image.config = image_config(mark, image.layers);
  image.media_type = docker ? oci::kDockerManifest : oci::kOciManifest;
  std::vector<std::string> layers;
  for (const std::string& layer : image.layers)
    layers.push_back(descriptor_json(docker ? "application/vnd.docker.image.rootfs.diff.tar" : oci::kOciLayer, layer));
  image.manifest = concat(R"({"schemaVersion":2,"mediaType":")", image.media_type, R"(","config":)",
                          descriptor_json(docker ? oci::kDockerConfig : oci::kOciConfig, image.config), R"(,"layers":)",
                          joined(layers), subject.empty() ? "" : R"(,"subject":)", subject, "}");
  return image;
}

Image make_artifact(const std::string& mark, const std::string& type, const std::string& subject_descriptor) {
  Image image;
  image.config = "{}";
  image.layers = {"statement of " + mark};
  image.manifest = concat(R"({"schemaVersion":2,"mediaType":")", image.media_type, R"(","artifactType":")", type,
                          R"(","config":)", descriptor_json("application/vnd.oci.empty.v1+json", image.config),
                          R"(,"layers":[)", descriptor_json("application/octet-stream", image.layers[0]),
                          R"(],"subject":)", subject_descriptor, R"(,"annotations":{"mark":")", mark, "\"}}");
  return image;
}

std::string index_of(const std::vector<Image>& images, bool docker, const std::string& more) {
  std::vector<std::string> children;
  const char* const architectures[] = {"amd64", "arm64", "arm", "s390x"};
  for (std::size_t i = 0; i < images.size(); ++i) {
    std::string descriptor = descriptor_json(images[i].media_type, images[i].manifest);
    descriptor.pop_back();
    children.push_back(
        concat(descriptor, R"(,"platform":{"os":"linux","architecture":")", architectures[i % 4], "\"}}"));
  }
  return concat(R"({"schemaVersion":2,"mediaType":")", docker ? oci::kDockerManifestList : oci::kOciIndex,
                R"(","manifests":)", joined(children), more, "}");
}

Bench::Bench(const Subject& subject, std::string case_name) : subject_(subject) {
  static int next = 0;
  unique_ = concat("t", ::getpid(), "-", ++next, "-", to_lower(case_name), "/");
  if (subject_.is_real()) return;
  subject_.options.clock = &shared_clock_;
  strict_ = std::make_unique<test::StrictRegistry>(subject_.options);
}

sys::Clock& Bench::clock() {
  if (strict_) return shared_clock_;
  return system_clock_;
}

std::size_t Bench::large(std::size_t size) const {
  using test::RegistryQuirk;
  const auto& quirks = subject_.options.rules.quirks;
  const auto about_size = {RegistryQuirk::no_ranges,         RegistryQuirk::no_resume,
                           RegistryQuirk::chunk_minimum,     RegistryQuirk::small_requests,
                           RegistryQuirk::uploads_elsewhere, RegistryQuirk::blobs_elsewhere};
  const bool matters = std::any_of(about_size.begin(), about_size.end(), [&](auto each) { return subject_.has(each); });
  return quirks.empty() || matters ? size : size / 20;
}

void PrintTo(const Case& each, std::ostream* stream) { *stream << each.name; }

std::string Bench::password(Login login) const {
  if (login == Login::wrong) return "pass-word-that-is-wrong";
  if (login == Login::reader) return subject_.is_real() ? subject_.reader_password : test::kReaderPassword;
  return subject_.is_real() ? subject_.password : test::kWriterPassword;
}

registry::HttpRegistry& Bench::client(Login login) {
  auto& made = clients_[login];
  if (made) return *made;
  const std::string writer = subject_.is_real() ? subject_.username : test::kWriter;
  const std::string reader = subject_.is_real() ? subject_.reader : test::kReader;
  const std::string user = login == Login::reader ? reader : writer;
  const bool known = login != Login::none && subject_.asks_login();
  const auto credentials =
      [=, password = password(login)](const std::string&) -> Result<std::optional<registry::Credentials>> {
    if (!known) return std::nullopt;
    return registry::Credentials{user, Secret(password)};
  };
  made = std::make_unique<registry::HttpRegistry>(http_, clock(), credentials, registry::RegistryOptions{});
  return *made;
}

oci::Repository Bench::repository(const std::string& name) const { return {host(), unique_ + name}; }

oci::Reference Bench::tag(const oci::Repository& repository, const std::string& name) {
  return {repository, name, std::nullopt};
}

oci::Reference Bench::by_digest(const oci::Repository& repository, const oci::Digest& digest) {
  return {repository, std::nullopt, digest};
}

registry::BlobSource source_of(std::string bytes) {
  const auto whole = std::make_shared<const std::string>(std::move(bytes));
  return {.open = [whole](std::uint64_t offset) -> Result<net::BodySource> {
    return [whole, offset]() mutable -> Result<std::string> {
      std::string piece = whole->substr(std::min<std::size_t>(offset, whole->size()), 256U << 10U);
      offset += piece.size();
      return piece;
    };
  }};
}

oci::Descriptor blob_descriptor(std::string_view bytes) {
  return {"application/octet-stream", oci::Digest::of(bytes), bytes.size(), {}, std::nullopt};
}

Result<registry::BlobArrival> Bench::put_blob(const oci::Repository& repository, const std::string& bytes) {
  return client().put_blob(repository, blob_descriptor(bytes), source_of(bytes));
}

Result<oci::Digest> Bench::push_manifest(const oci::Repository& repository, const std::string& tag,
                                         const std::string& bytes, std::string_view media_type) {
  const oci::Reference to = tag.empty() ? by_digest(repository, oci::Digest::of(bytes)) : Bench::tag(repository, tag);
  return client().put_manifest(to, bytes, media_type);
}

Result<oci::Digest> Bench::push(const oci::Repository& repository, const std::string& tag, const Image& image) {
  CG_CHECK(put_blob(repository, image.config));
  for (const std::string& layer : image.layers) CG_CHECK(put_blob(repository, layer));
  return push_manifest(repository, tag, image.manifest, image.media_type);
}

void Bench::leave(const oci::Repository& repository, const std::string& tag, const oci::Digest& digest,
                  std::string_view media_type) {
  if (subject_.is_real())
    add_left_behind({subject_.name, repository.full() + ":" + tag, digest.text(), std::string(media_type)});
}

}  // namespace crategate::conformance
