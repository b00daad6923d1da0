#include "stages/build_ci_image.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "git/revision.h"
#include "layout/image_store.h"
#include "pipeline/base_watch.h"
#include "pipeline/ci_tags.h"
#include "registry/copy.h"
#include "stages/build_sources.h"
#include "stages/layout_registry.h"
#include "stages/logged_build.h"
#include "stages/tag_state.h"

namespace crategate::stages {
namespace {

constexpr std::string_view kLog = "logs/ci-image-build.log";
constexpr std::string_view kSubject = "the CI image";
/// A layout is one repository; its name is never sent anywhere.
const oci::Repository kInLayout{"layout.invalid", "image"};

Result<oci::Repository> repository_of(const config::CiImage& settings) {
  auto repository = oci::parse_repository(settings.image);
  if (!repository) return fail(std::move(repository).error().within("ci-image.image"));
  return repository;
}

/// Dockerfile, ci.Dockerfile, Dockerfile.ci; and the other name of such a file.
bool is_dockerfile(std::string_view path) {
  const std::string name = to_lower(path.substr(path.rfind('/') + 1));
  if (name.ends_with(".dockerignore")) return false;
  return std::ranges::any_of(std::array<std::string_view, 2>{"dockerfile", "containerfile"}, [&name](const auto kind) {
    return name == kind || name.starts_with(concat(kind, ".")) || name.ends_with(concat(".", kind));
  });
}

/// `ci-image.dockerfile`, or the only watched path that is one.
Result<std::string> dockerfile_of(const config::CiImage& settings) {
  if (!settings.dockerfile.empty()) return settings.dockerfile;
  std::vector<std::string> watched;
  std::ranges::copy_if(settings.watch, std::back_inserter(watched), is_dockerfile);
  if (watched.size() == 1) return std::move(watched.front());
  return fail(ErrorCode::bad_input,
              concat("ci-image.dockerfile: expected the Dockerfile to build, found none, and ",
                     watched.empty() ? std::string("none in ci-image.watch")
                                     : concat("several in ci-image.watch: ", join(watched, ", "))),
              concat("Write `dockerfile: ", watched.empty() ? std::string("ci.Dockerfile") : watched.front(),
                     "` below `ci-image:` in crategate.yml."));
}

/// With the Dockerfile that is built.
Result<config::CiImage> settings_of(const config::Configuration& configuration) {
  if (!configuration.ci_image || configuration.ci_image->image.empty()) {
    return fail(ErrorCode::bad_input, "ci-image.image: expected the repository of the image, found none",
                "Write `image: ghcr.io/OWNER/REPOSITORY/ci` below `ci-image:` in crategate.yml.");
  }
  config::CiImage settings = *configuration.ci_image;
  CG_TRY(settings.dockerfile, dockerfile_of(settings));
  return settings;
}

/// All of them only where they can be kept together, and never for a fork: nobody runs those of its image.
std::vector<oci::Platform> platforms_of(const CiImageBuildInputs& in, const config::CiImage& settings) {
  const oci::Platform machine{.os = "linux", .architecture = in.architecture, .variant = {}};
  if (in.from_fork) return {oci::Platform{}};
  if (settings.platforms.empty()) return {in.decision ? oci::Platform{} : machine};
  if (in.pushes()) return settings.platforms;
  const bool listed = std::ranges::find(settings.platforms, machine) != settings.platforms.end();
  return {listed ? machine : settings.platforms.front()};
}

std::map<std::string, std::string> labels_of(const CiImageBuildInputs& in) {
  // On somebody's machine the files are those of no commit.
  if (!in.decision) return {};
  std::map<std::string, std::string> labels;
  if (!in.revision.empty()) labels[std::string(pipeline::kRevisionLabel)] = in.revision;
  if (!in.source_url.empty()) labels["org.opencontainers.image.source"] = in.source_url;
  return labels;
}

/// A cache that is not there yet would be a warning of buildx in every first build. What cannot be asked stays.
void leave_out_absent(std::vector<docker::Cache>& caches, registry::RegistryReader& reader) {
  std::erase_if(caches, [&reader](const docker::Cache& cache) {
    const auto reference = oci::parse_reference(cache.reference);
    if (!reference) return true;
    const auto digest = reader.digest(*reference);
    return digest && !*digest;
  });
}

Result<docker::BuildOutcome> run_builder(const docker::BuildRequest& request, const CiImageBuildInputs& in,
                                         const CiImageBuildServices& svc) {
  CG_CHECK(svc.files.make_directories(in.workspace.state() / "ci-image"));
  auto outcome = run_logged_build({.request = request,
                                   .timeout = in.configuration.build.timeout,
                                   .workspace = in.workspace,
                                   .log = sys::Path(kLog)},
                                  svc.builder, svc.files, [&svc](std::string_view line) {
                                    if (svc.progress) svc.progress(neutralise(line));
                                  });
  if (!outcome) return fail(std::move(outcome).error().within("ci-image build"));
  return outcome;
}

/// Before minutes of building, not after them.
Result<void> require_push_right(const oci::Repository& repository, const CiImageBuildServices& svc) {
  auto access = svc.access(repository);
  if (access && !access->no_push) return {};
  Error error = access ? *std::move(access->no_push) : std::move(access).error();
  return fail(std::move(error).within("ci-image build, before anything is built"));
}

/// The one image that buildx left there.
Result<oci::Digest> only_image(const layout::OciLayout& layout) {
  CG_TRY(const auto images, layout.manifests());
  if (images.size() == 1) return images.front();
  return fail(ErrorCode::integrity,
              concat("ci-image build: expected one image, found ", images.size(), " in ", layout.directory().string()));
}

/// What `wait-image` and `resolve-image` prove an image by; empty = none.
Result<std::string> revision_of(const oci::Reference& image, registry::RegistryReader& reader) {
  CG_TRY(const auto labels, image_labels(image, reader));
  if (!labels) return std::string();
  const auto found = labels->find(std::string(pipeline::kRevisionLabel));
  return found == labels->end() ? std::string() : found->second;
}

Result<void> require_revision(const oci::Reference& image, const std::string& revision,
                              registry::RegistryReader& reader) {
  CG_TRY(const auto found, revision_of(image, reader));
  if (found == revision && !found.empty()) return {};
  return fail(ErrorCode::integrity,
              concat("ci-image build: ", image.familiar(), ": expected the label ", pipeline::kRevisionLabel, "=",
                     revision, ", found ", found.empty() ? std::string("none") : quote(found)),
              "Nothing was tagged. Run the build again.");
}

Result<void> point(const oci::Reference& tag, const registry::StoredManifest& image, const CiImageBuildServices& svc) {
  const auto& descriptor = image.descriptor;
  CG_TRY(const auto before, svc.reader.digest(tag));
  if (before != descriptor.digest) CG_CHECK(svc.writer.point_tag(tag, before, image.bytes, descriptor.media_type));
  CG_TRY(const auto after, svc.reader.digest(tag));
  if (after == descriptor.digest) return {};
  return fail(ErrorCode::conflict,
              concat("ci-image build: ", tag.familiar(), ": expected ", descriptor.digest.text(), ", found ",
                     after ? after->text() : std::string("nothing")),
              "Somebody else moved it meanwhile: give the workflow a concurrency group of its own for each ref.");
}

/// The branch went on since the event, and so did its tag. What cannot be told is not later.
Result<bool> names_a_later_commit(const oci::Reference& tag, const CiImageBuildInputs& in,
                                  const CiImageBuildServices& svc) {
  CG_TRY(const auto found, revision_of(tag, svc.reader));
  if (found == in.revision || !git::is_oid(found)) return false;
  CG_TRY(const auto later, svc.repository.is_ancestor(in.revision, found));
  if (later.value_or(false))
    log::warning(
        concat(tag.familiar(), " is built from ", found, ", which comes after ", in.revision, ": it stays as it is"));
  return later.value_or(false);
}

Result<void> publish(const CiImageBuildInputs& in, const oci::Repository& repository, CiImageBuilt& built,
                     const CiImageBuildServices& svc) {
  CG_TRY(auto layout, layout::OciLayout::open_existing(built.layout));
  CG_TRY(const oci::Digest digest, only_image(layout));
  LayoutRegistry made(std::move(layout), LayoutNames::tags);
  const oci::Reference in_layout{kInLayout, std::nullopt, digest}, image{repository, std::nullopt, digest};
  CG_CHECK(require_revision(in_layout, in.revision, made));
  CG_CHECK(registry::copy_image(made, in_layout, svc.reader, svc.writer, {repository, std::nullopt, {}},
                                {.with_referrers = false}));
  CG_TRY(const auto stored, svc.reader.manifest(image));
  if (!stored) {
    return fail(ErrorCode::integrity,
                concat("ci-image build: expected ", image.familiar(), " after it was pushed, found nothing"),
                "Nothing was tagged. Run the build again.");
  }
  CG_CHECK(require_revision(image, in.revision, svc.reader));
  for (const auto& name : tags_in_order(*in.decision)) {
    const oci::Reference tag{repository, name, std::nullopt};
    CG_TRY(const bool later, names_a_later_commit(tag, in, svc));
    if (later) continue;
    CG_CHECK(point(tag, *stored, svc));
    log::info(concat(tag.familiar(), " is ", digest.text()));
    built.tags.insert(built.tags.begin(), name);
  }
  built.digest = digest;
  built.image = image.familiar();
  return {};
}

void warn_of_unwatched(const config::CiImage& settings) {
  if (std::ranges::find(settings.watch, settings.dockerfile) != settings.watch.end()) return;
  log::warning(concat("ci-image.watch: ", quoted(settings.dockerfile),
                      " is not in it: a pull request that changes it gets no image of its own"));
}

}  // namespace

Result<void> require_event_commit(const pipeline::Event& event, git::Repository& repository) {
  CG_TRY(const auto head, repository.head());
  if (head && (*head == event.sha || *head == event.head_sha)) return {};
  if (head && event.sha.empty()) {
    // Nobody has named the merge commit; it says itself what it merges.
    CG_TRY(const auto merged, repository.resolve("HEAD^2"));
    if (merged && *merged == event.head_sha) return {};
  }
  return fail(ErrorCode::bad_input,
              concat("ci-image build: expected the event's commit ", event.sha.empty() ? event.head_sha : event.sha,
                     " to be checked out, found ", head.value_or("none")),
              head ? "Check out without `ref:`, or the head of the pull request."
                   : "Check out with actions/checkout, in a job that has git.");
}

std::vector<std::string> tags_in_order(const pipeline::CiImageDecision& decision) {
  return {decision.publish.rbegin(), decision.publish.rend()};
}

std::string local_ci_image(const config::CiImage& settings) { return concat(settings.image, ":", pipeline::kLocalTag); }

std::vector<std::string> ci_image_caches(const CiImageBuildInputs& in) {
  std::vector<std::string> caches;
  if (!in.decision || !in.configuration.ci_image) return caches;
  const auto add = [&](std::string_view tag) {
    const std::string cache = concat(in.configuration.ci_image->image, ":", tag);
    if (!tag.empty() && std::ranges::find(caches, cache) == caches.end()) caches.push_back(cache);
  };
  add(pipeline::kCacheTag);
  add(in.decision->tag);
  add(in.branch_tag);
  return caches;
}

Result<docker::BuildRequest> ci_image_request(const CiImageBuildInputs& in) {
  CG_TRY(const auto settings, settings_of(in.configuration));
  const auto platforms = platforms_of(in, settings);
  docker::BuildRequest request;
  request.dockerfile = settings.dockerfile;
  request.platform = platforms.front();
  request.more_platforms = {platforms.begin() + 1, platforms.end()};
  request.fresh = in.fresh || (in.decision && in.decision->build == pipeline::CiBuild::fresh);
  request.log_in = in.pushes();
  request.builder = in.configuration.build.builder;
  request.network = in.configuration.build.network;
  request.labels = labels_of(in);
  for (const auto& cache : ci_image_caches(in)) request.cache_from.push_back({.reference = cache, .directory = {}});
  request.inline_cache = in.pushes();
  // What a pull request or a merge group leaves is never what a branch is built from, and what another branch leaves not either.
  if (in.pushes() && in.decision->publish.size() > 1) {
    request.cache_to = {{.reference = concat(settings.image, ":", pipeline::kCacheTag),
                         .directory = {},
                         .ignore_error = in.configuration.build.cache_ignore_error}};
  }
  if (in.makes_layout()) {
    request.layout = (in.workspace.state_name / kCiImageLayout).string();
  } else {
    request.tags = {local_ci_image(settings)};
  }
  return request;
}

Result<CiImageBuilt> build_ci_image(const CiImageBuildInputs& in, const CiImageBuildServices& svc) {
  CG_TRY(const auto settings, settings_of(in.configuration));
  CG_TRY(auto request, ci_image_request(in));
  CG_TRY(const auto repository, repository_of(settings));
  config::Build read_by_build;  // of the section `build` only what says which frontends may read a Dockerfile
  read_by_build.frontends = in.configuration.build.frontends;
  CG_CHECK(check_sources(Sources{.subject = std::string(kSubject),
                                 .dockerfile = settings.dockerfile,
                                 .build = read_by_build,
                                 .workspace = in.workspace,
                                 .key_variable = {},
                                 .guarded = in.decision.has_value(),
                                 .remedy = "Correct ci-image.dockerfile, a path from the top of the repository."},
                         svc.files));
  warn_of_unwatched(settings);
  if (in.pushes()) CG_CHECK(require_push_right(repository, svc));
  if (in.decision) leave_out_absent(request.cache_from, svc.reader);
  CiImageBuilt built;
  if (in.makes_layout()) {
    built.layout = in.workspace.state() / kCiImageLayout;
    CG_CHECK(svc.files.remove_tree(built.layout));
  }
  CG_CHECK(run_builder(request, in, svc));
  if (!request.tags.empty()) built.local = request.tags.front();
  if (!in.pushes()) return built;
  auto published = publish(in, repository, built, svc);
  const auto removed = svc.files.remove_tree(std::exchange(built.layout, {}));
  if (!published) return fail(std::move(published).error());
  CG_CHECK(removed);
  return built;
}

}  // namespace crategate::stages
