// One case's registry, its clients, and content to put into it.
// Belongs here: what every case needs.  Not here: expectations.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conformance/subjects.h"
#include "net/http.h"
#include "oci/manifest.h"
#include "oci/media_types.h"
#include "registry/client.h"
#include "support/strict_registry_clock.h"

namespace crategate::conformance {

/// An image of which every judge can read each byte: its layers are archives, its configuration is one.
struct Image {
  std::string media_type = std::string(oci::kOciManifest);
  std::string config;
  std::vector<std::string> layers;  ///< uncompressed archives
  std::string manifest;
  oci::Digest digest() const { return oci::Digest::of(manifest); }
};

/// An archive with one file of so many bytes.
std::string archive(const std::string& file, const std::string& content);
/// `mark` makes it different from others.
Image make_image(const std::string& mark, bool docker = false, const std::string& subject = {});
/// A manifest that refers to another: its configuration is the empty object.
Image make_artifact(const std::string& mark, const std::string& type, const std::string& subject_descriptor);
std::string descriptor_json(std::string_view media_type, std::string_view bytes);
std::string index_of(const std::vector<Image>& images, bool docker = false, const std::string& more = {});

enum class Login : unsigned char { writer, reader, wrong, none };

class Bench {
 public:
  Bench(const Subject& subject, std::string case_name);
  const Subject& subject() const { return subject_; }
  bool can(Ability ability) const { return reason_against(subject_, ability).empty(); }
  /// nullptr for a real registry.
  test::StrictRegistry* strict() { return strict_.get(); }
  std::string host() const { return strict_ ? strict_->host() : subject_.host; }
  registry::HttpRegistry& client(Login login = Login::writer);
  std::string password(Login login) const;

  /// A repository of this case alone.
  oci::Repository repository(const std::string& name = "a") const;
  static oci::Reference tag(const oci::Repository& repository, const std::string& name);
  static oci::Reference by_digest(const oci::Repository& repository, const oci::Digest& digest);
  /// Makes content of this case alone.
  std::string mark(const std::string& name) const { return unique_ + name; }

  Result<registry::BlobArrival> put_blob(const oci::Repository& repository, const std::string& bytes);
  /// Blobs, then the manifest under a tag (empty = by digest); what is left behind is written down.
  Result<oci::Digest> push(const oci::Repository& repository, const std::string& tag, const Image& image);
  Result<oci::Digest> push_manifest(const oci::Repository& repository, const std::string& tag, const std::string& bytes,
                                    std::string_view media_type);
  /// For the judges: stands after this case.
  void leave(const oci::Repository& repository, const std::string& tag, const oci::Digest& digest,
             std::string_view media_type);
  sys::Clock& clock();
  /// `size`, where it makes a difference to the registry; else less of it.
  std::size_t large(std::size_t size) const;
  /// For the client and for the tokens of a strict registry.
  void pass(std::chrono::milliseconds duration) { shared_clock_.advance(duration); }

 private:
  Subject subject_;
  std::string unique_;
  test::SharedClock shared_clock_;
  sys::SystemClock system_clock_;
  std::unique_ptr<test::StrictRegistry> strict_;
  net::PosixHttpClient http_;
  std::map<Login, std::unique_ptr<registry::HttpRegistry>> clients_;
};

registry::BlobSource source_of(std::string bytes);
oci::Descriptor blob_descriptor(std::string_view bytes);

struct Case {
  const char* name;
  void (*run)(Bench& bench);
};
void PrintTo(const Case& each, std::ostream* stream);
std::vector<Case> blob_cases();
std::vector<Case> mount_cases();
std::vector<Case> manifest_cases();
std::vector<Case> removal_cases();
std::vector<Case> list_cases();
std::vector<Case> login_cases();
std::vector<Case> copy_cases();

}  // namespace crategate::conformance
