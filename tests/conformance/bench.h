// One case's registry and its clients.
// Belongs here: what every case needs.  Not here: what is put into the registry (content); expectations.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "conformance/content.h"
#include "conformance/subjects.h"
#include "net/http.h"
#include "registry/client.h"
#include "support/fakes.h"

namespace crategate::conformance {

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
  /// Blobs, then the manifest under a tag (empty = by digest).
  Result<oci::Digest> push(const oci::Repository& repository, const std::string& tag, const Image& image);
  Result<oci::Digest> push_manifest(const oci::Repository& repository, const std::string& tag, const std::string& bytes,
                                    std::string_view media_type);
  /// Has it judged, though it has no tag.
  void leave(oci::Reference by_digest) { untagged_.push_back(std::move(by_digest)); }
  /// For the judges: a list in that repository names what is gone, and why.
  void dangles(const oci::Repository& repository, std::string reason) {
    dangling_[repository.path] = std::move(reason);
  }
  /// For the judges: all that stands in a real registry after this case, by tag or pushed by digest.
  void leave_all();
  sys::Clock& clock();
  /// `size`, where it makes a difference to the registry; else less of it.
  std::size_t large(std::size_t size) const;
  /// For the client and for the tokens of a strict registry.
  void pass(std::chrono::milliseconds duration) { fake_clock_.advance(duration); }

 private:
  Subject subject_;
  std::string unique_;
  mutable std::set<std::string> paths_;  ///< of all repositories that were named
  std::vector<oci::Reference> untagged_;
  std::map<std::string, std::string> dangling_;
  test::FakeClock fake_clock_;
  sys::SystemClock system_clock_;
  std::unique_ptr<test::StrictRegistry> strict_;
  net::PosixHttpClient http_;
  std::map<Login, std::unique_ptr<registry::HttpRegistry>> clients_;
};

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
