// Facts, each observed on the registry it speaks of.
#include "conformance/subjects.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <ostream>
#include <stdexcept>

#include "json/value.h"

namespace crategate::conformance {
namespace {

using test::RegistryAuth;
using test::RegistryQuirk;

struct NamedQuirk {
  const char* name;
  RegistryQuirk quirk;
};

constexpr NamedQuirk kQuirks[] = {{"NoMount", RegistryQuirk::no_mount},
                                  {"RefusesMount", RegistryQuirk::refuses_mount},
                                  {"NoDelete", RegistryQuirk::no_delete},
                                  {"NoTagDelete", RegistryQuirk::no_tag_delete},
                                  {"ImmutableTags", RegistryQuirk::immutable_tags},
                                  {"CollectsUntagged", RegistryQuirk::collects_untagged},
                                  {"AcceptedForCreated", RegistryQuirk::accepted_created},
                                  {"RelativeLocation", RegistryQuirk::relative_location},
                                  {"UploadsElsewhere", RegistryQuirk::uploads_elsewhere},  // A44
                                  {"BlobsElsewhere", RegistryQuirk::blobs_elsewhere},      // A41, A42
                                  {"NoContentDigest", RegistryQuirk::no_content_digest},
                                  {"NoReferrers", RegistryQuirk::no_referrers},
                                  {"NoRanges", RegistryQuirk::no_ranges},
                                  {"NoResume", RegistryQuirk::no_resume},  // B14
                                  {"ChunkMinimum", RegistryQuirk::chunk_minimum},
                                  {"SmallRequests", RegistryQuirk::small_requests},
                                  {"Pages", RegistryQuirk::pages},
                                  {"Lag", RegistryQuirk::lag},  // B05
                                  {"NoHead", RegistryQuirk::no_head},
                                  {"HeadNotFound", RegistryQuirk::head_not_found},
                                  {"HiddenUnknown", RegistryQuirk::hidden_unknown},
                                  {"HiddenDenied", RegistryQuirk::hidden_denied},
                                  {"HtmlErrors", RegistryQuirk::html_errors}};

struct QuirkDifference {
  RegistryQuirk quirk;
  Ability ability;
  const char* reason;
};

constexpr QuirkDifference kOfQuirks[] = {
    {RegistryQuirk::no_mount, Ability::mount, "a mount begins an upload"},
    {RegistryQuirk::refuses_mount, Ability::mount, "a mount is answered 405"},
    {RegistryQuirk::no_delete, Ability::remove, "DELETE is answered 405"},
    {RegistryQuirk::no_delete, Ability::remove_tag, "DELETE is answered 405"},
    {RegistryQuirk::no_tag_delete, Ability::remove_tag, "DELETE by tag is answered 400"},
    {RegistryQuirk::immutable_tags, Ability::move_tag, "a tag that exists stays"},
    {RegistryQuirk::collects_untagged, Ability::keep_untagged, "what lost its last tag is gone"},
    {RegistryQuirk::no_referrers, Ability::list_referrers, "the API is answered 404"},
    {RegistryQuirk::html_errors, Ability::explain_absence, "a 404 is a page"},
    {RegistryQuirk::small_requests, Ability::accept_large, "more than 1 MiB is answered 413"},
};

struct KindDifference {
  std::string_view kind;  ///< or the name, where others of its kind can
  Ability ability;
  const char* reason;
};

constexpr KindDifference kOfKinds[] = {
    {"distribution2", Ability::remove_tag, "2.8 deletes by digest only"},
    {"distribution2", Ability::know_empty, "a repository is known by its folder of tags"},
    {"distribution3", Ability::know_empty, "a repository is known by its folder of tags"},
    {"distribution2", Ability::list_referrers, "2.8 is older than the API"},
    {"distribution3", Ability::list_referrers, "3.0 has no such API"},
    {"ggcr_without_referrers", Ability::list_referrers, "its API is an option"},
    {"ggcr_referrers", Ability::tell_artifact_type, "it says the type of the configuration, of an index none"},
    {"ggcr", Ability::mount, "a mount begins an upload"},
    {"ggcr", Ability::remove_with_tags, "a tag is an entry of its own"},
    {"ggcr", Ability::verify_blobs, "only an index is looked into"},
    {"ggcr", Ability::separate_blobs, "all repositories share one store"},
};

std::string text(const json::Reader& entry, std::string_view key) { return entry.string_or(key, "").value_or(""); }

/// The certificates of all registries in one file: the client reads it once.
void trust(const std::string& certificates) {
  if (certificates.empty()) return;
  static const std::string file = testing::TempDir() + "/conformance-ca-" + std::to_string(::getpid()) + ".pem";
  std::ofstream(file) << certificates;
  ::setenv("SSL_CERT_FILE", file.c_str(), 1);
}

std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void add_real(std::vector<Subject>& all) {
  const char* file = std::getenv("CRATEGATE_REGISTRIES");
  if (file == nullptr) return;
  const auto document = json::Document::parse(content_of(file), file);
  if (!document) throw std::runtime_error(describe(document.error()));
  std::string certificates;
  const auto entries = document->root().items();
  if (!entries) throw std::runtime_error(describe(entries.error()));
  for (const json::Reader& entry : *entries) {
    Subject subject{.name = text(entry, "name"), .kind = text(entry, "kind")};
    subject.host = text(entry, "host");
    subject.auth = text(entry, "auth");
    subject.username = text(entry, "username");
    subject.password = text(entry, "password");
    const auto reader = entry.find("reader");
    if (reader && *reader) {
      subject.reader = text(**reader, "username");
      subject.reader_password = text(**reader, "password");
    }
    for (char& c : subject.name)
      if (c == '-' || c == '.') c = '_';
    const std::string authority = text(entry, "ca_file");
    if (!authority.empty() && certificates.find(content_of(authority)) == std::string::npos)
      certificates += content_of(authority);
    if (subject.name == subject.kind) subject.name += subject.kind == "ggcr" ? "_without_referrers" : "";
    all.push_back(std::move(subject));
  }
  trust(certificates);
}

Subject strict(const std::string& name, RegistryAuth auth) {
  Subject subject;
  subject.name = "Strict" + name;
  subject.kind = "strict";
  subject.options.auth = auth;
  return subject;
}

std::vector<Subject> make_subjects() {
  std::vector<Subject> all;
  all.push_back(strict("Plain", RegistryAuth::none));
  all.push_back(strict("Basic", RegistryAuth::basic));
  all.push_back(strict("Token", RegistryAuth::token));
  all.push_back(strict("TokenElsewhere", RegistryAuth::token));
  all.back().options.token_elsewhere = true;
  for (const auto& [name, quirk] : kQuirks) {
    all.push_back(strict(name, RegistryAuth::token));
    all.back().options.rules.quirks.insert(quirk);
  }
  add_real(all);
  return all;
}

}  // namespace

const std::vector<Subject>& subjects() {
  static const std::vector<Subject> all = make_subjects();
  return all;
}

void PrintTo(const Subject& subject, std::ostream* stream) { *stream << subject.name; }

std::string reason_against(const Subject& subject, Ability ability) {
  for (const auto& [quirk, lacks, reason] : kOfQuirks)
    if (subject.has(quirk) && lacks == ability) return reason;
  for (const auto& [kind, lacks, reason] : kOfKinds)
    if ((subject.kind == kind || subject.name == kind) && lacks == ability) return reason;
  return {};
}

}  // namespace crategate::conformance
