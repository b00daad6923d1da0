#include "docker/base_image.h"

#include "base/log.h"
#include "base/strings.h"
#include "json/value.h"

namespace crategate::docker {
namespace {

Result<oci::Digest> digest_in_answer(const std::string& text) {
  CG_TRY(const auto document, json::Document::parse(text, "buildx imagetools inspect"));
  CG_TRY(const std::string digest, document.root().string("digest"));
  return oci::Digest::parse(digest);
}

}  // namespace

std::optional<oci::Digest> digest_in_engine(const EngineImage& image, const oci::Reference& name) {
  for (const std::string& text : image.repo_digests) {
    auto known = oci::parse_reference(text);
    if (known && known->repository == name.repository && known->digest) return std::move(known->digest);
  }
  return std::nullopt;
}

std::optional<BaseImage> BaseImages::find(const std::string& name, const std::function<bool()>& sees_engine) {
  const auto reference = oci::parse_reference(name);
  if (!reference || name == "scratch") return std::nullopt;
  if (reference->digest) return BaseImage{.digest = *reference->digest, .in_engine = false};
  const auto known = known_.find(name);
  if (known != known_.end()) return known->second;
  auto found = look_up(*reference, sees_engine);
  known_.emplace(name, found);
  return found;
}

std::optional<BaseImage> BaseImages::look_up(const oci::Reference& name, const std::function<bool()>& sees_engine) {
  const auto image = engine_.find_image(name.familiar());
  if (image && *image && sees_engine()) {
    auto digest = digest_in_engine(**image, name);
    if (!digest) return std::nullopt;
    return BaseImage{.digest = *std::move(digest), .in_engine = true};
  }
  const auto answer = buildx_({"imagetools", "inspect", "--format={{json .Manifest}}", name.full()});
  if (answer && answer->exit_code == 0) {
    auto digest = digest_in_answer(answer->out);
    if (digest) return BaseImage{.digest = *std::move(digest), .in_engine = false};
  }
  log::debug(concat("base image ", name.familiar(),
                    ": its digest cannot be found out; the label base.digest is left out",
                    answer ? concat(" (", neutralise(trim(answer->out)), ")") : std::string()));
  return std::nullopt;
}

}  // namespace crategate::docker
