// Clients, and the list of what stays behind.
#include "conformance/bench.h"

#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "base/strings.h"
#include "conformance/left_behind.h"

namespace crategate::conformance {

Bench::Bench(const Subject& subject, std::string case_name) : subject_(subject) {
  static int next = 0;
  unique_ = concat("t", ::getpid(), "-", ++next, "-", to_lower(case_name), "/");
  if (subject_.is_real()) return;
  subject_.options.clock = &fake_clock_;
  strict_ = std::make_unique<test::StrictRegistry>(subject_.options);
}

sys::Clock& Bench::clock() {
  if (strict_) return fake_clock_;
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

oci::Repository Bench::repository(const std::string& name) const {
  paths_.insert(unique_ + name);
  return {host(), unique_ + name};
}

oci::Reference Bench::tag(const oci::Repository& repository, const std::string& name) {
  return {repository, name, std::nullopt};
}

oci::Reference Bench::by_digest(const oci::Repository& repository, const oci::Digest& digest) {
  return {repository, std::nullopt, digest};
}

Result<registry::BlobArrival> Bench::put_blob(const oci::Repository& repository, const std::string& bytes) {
  return client().put_blob(repository, blob_descriptor(bytes), source_of(bytes));
}

Result<oci::Digest> Bench::push_manifest(const oci::Repository& repository, const std::string& tag,
                                         const std::string& bytes, std::string_view media_type) {
  if (tag.empty()) leave(by_digest(repository, oci::Digest::of(bytes)));
  const oci::Reference to = tag.empty() ? by_digest(repository, oci::Digest::of(bytes)) : Bench::tag(repository, tag);
  return client().put_manifest(to, bytes, media_type);
}

Result<oci::Digest> Bench::push(const oci::Repository& repository, const std::string& tag, const Image& image) {
  CG_CHECK(put_blob(repository, image.config));
  for (const std::string& layer : image.layers) CG_CHECK(put_blob(repository, layer));
  return push_manifest(repository, tag, image.manifest, image.media_type);
}

void Bench::leave_all() {
  if (!subject_.is_real()) return;
  std::vector<oci::Reference> all = std::move(untagged_);
  for (const std::string& path : paths_) {
    const auto tags = client().tags({host(), path});
    if (!tags || !*tags) continue;
    for (const std::string& each : **tags) all.push_back(tag({host(), path}, each));
  }
  std::set<std::string> known;  // a manifest is judged once in each repository
  for (const oci::Reference& each : all) {
    const auto there = client().manifest(each);
    if (!there || !*there) continue;
    const oci::Descriptor& stored = (*there)->descriptor;
    if (!known.insert(each.repository.full() + stored.digest.text()).second) continue;
    const auto dangles = dangling_.find(each.repository.path);
    const bool whole = dangles == dangling_.end() || !oci::is_index(stored.media_type);
    add_left_behind(
        {subject_.name, each.full(), stored.digest.text(), stored.media_type, whole ? std::string() : dangles->second});
  }
}

}  // namespace crategate::conformance
