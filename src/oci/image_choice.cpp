// The walk through an index, and the choice among what it found.
#include "oci/image_choice.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/strings.h"
#include "oci/media_types.h"

namespace crategate::oci {
namespace {

constexpr int kDeepest = 2;
constexpr int kMostNested = 16;

enum class Fit : unsigned char { unsaid, alike, exact };

class Chooser {
 public:
  Chooser(const Platform& wanted, const ReadIndex& read) : wanted_(wanted), read_(read) {}

  Result<void> walk(const Index& index, int depth) {
    for (const Descriptor& entry : index.manifests) {
      if (is_attestation(entry)) continue;
      if (is_index(entry.media_type)) {
        CG_CHECK(descend(entry, depth + 1));
      } else if (is_manifest(entry.media_type) && entry.artifact_type.empty()) {
        consider(entry);
      }
    }
    return {};
  }

  Result<Descriptor> choice() const {
    if (found_.empty()) {
      return fail(ErrorCode::not_found,
                  concat("expected one image for ", wanted_.text(), ", found ",
                         others_.empty() ? "0" : join({others_.begin(), others_.end()}, ", ")),
                  others_.empty() ? "" : concat("Choose one of them with --platforms ", *others_.begin(), "."));
    }
    const auto fit_of = [](const auto& each) { return each.second.fit; };
    const auto best = std::ranges::max_element(found_, {}, fit_of);
    const auto alike = std::ranges::count(found_, best->second.fit, fit_of);
    if (alike == 1) return best->second.entry;
    std::set<std::string> platforms;
    for (const auto& [digest, found] : found_) {
      if (found.fit == best->second.fit) platforms.insert(found.entry.platform ? found.entry.platform->text() : "any");
    }
    return fail(
        ErrorCode::integrity,
        concat("expected one image for ", wanted_.text(), ", found ", alike, " (",
               join({platforms.begin(), platforms.end()}, ", "), ")"),
        platforms.size() > 1 ? "Name the variant, too: --platforms linux/arm/v7." : "Name one image by its digest.");
  }

 private:
  struct Found {
    Descriptor entry;
    Fit fit;
  };

  Result<void> descend(const Descriptor& entry, int depth) {
    if (entry.platform && !fits(*entry.platform, wanted_)) return {};
    if (depth > kDeepest)
      return fail(ErrorCode::integrity, "indexes are nested too deeply: expected at most two within");
    if (!seen_.insert(entry.digest).second) return {};
    if (seen_.size() > kMostNested) {
      return fail(ErrorCode::integrity, concat("expected at most ", kMostNested, " indexes within an index"));
    }
    CG_TRY(const Index index, read_(entry));
    return walk(index, depth);
  }

  void consider(const Descriptor& entry) {
    if (entry.platform && !fits(*entry.platform, wanted_)) {
      others_.insert(entry.platform->text());
      return;
    }
    const Fit fit = !entry.platform ? Fit::unsaid : *entry.platform == wanted_ ? Fit::exact : Fit::alike;
    const auto [known, added] = found_.try_emplace(entry.digest, Found{entry, fit});
    if (!added && known->second.fit < fit) known->second = {entry, fit};
  }

  const Platform& wanted_;
  const ReadIndex& read_;
  std::map<Digest, Found> found_;
  std::set<std::string> others_;
  std::set<Digest> seen_;
};

}  // namespace

bool is_attestation(const Descriptor& entry) {
  const auto type = entry.annotations.find("vnd.docker.reference.type");
  const bool marked = type != entry.annotations.end() && type->second == "attestation-manifest";
  return marked || (entry.platform && (entry.platform->os == "unknown" || entry.platform->architecture == "unknown"));
}

bool fits(const Platform& found, const Platform& wanted) {
  const bool same_variant = found.variant == wanted.variant || found.variant.empty() || wanted.variant.empty();
  return found.os == wanted.os && found.architecture == wanted.architecture && same_variant;
}

Result<Descriptor> choose_image(const Index& index, const Platform& platform, const ReadIndex& read) {
  Chooser chooser(platform, read);
  CG_CHECK(chooser.walk(index, 0));
  return chooser.choice();
}

Result<void> require_image(const Manifest& manifest) {
  const std::string& type = manifest.config.media_type;
  if (type == kOciConfig || type == kDockerConfig) return {};
  return fail(ErrorCode::integrity,
              concat("expected an image, found an artifact whose configuration is ", quoted(type)),
              "Name an image; of an index, the entry of a platform.");
}

}  // namespace crategate::oci
