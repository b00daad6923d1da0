// ci-image build: the CI image of an event, into the registry under its tags or into the engine.
// Belongs here: what is built and in which order it is published.  Not here: which tags (pipeline/ci_image), flags of
// buildx (docker/build).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "docker/build.h"
#include "git/repository.h"
#include "pipeline/ci_image.h"
#include "registry/client.h"
#include "stages/project_command.h"
#include "stages/workspace.h"

namespace crategate::stages {

/// Below the state directory: the image on its way to a registry, or as the artifact of a fork.
inline constexpr std::string_view kCiImageLayout = "ci-image/layout";

struct CiImageBuildInputs {
  const config::Configuration& configuration;
  Workspace workspace;
  /// Of a job's event. nullopt = on somebody's machine: nothing is pushed, and no registry is asked.
  std::optional<pipeline::CiImageDecision> decision;
  std::string revision;      ///< the event's own commit: of a pull request its head, never the merge commit
  std::string branch_tag;    ///< of the event's branch, or of its base branch
  std::string source_url;    ///< label org.opencontainers.image.source; empty = none
  std::string architecture;  ///< of this machine
  bool from_fork = false;
  bool fresh = false;  ///< also where the decision does not say so
  bool publish = true;
  bool artifact = false;  ///< what is not pushed becomes an OCI layout instead of an image of the engine
  bool pushes() const { return decision && publish && decision->may_push(); }
  bool makes_layout() const { return pushes() || (decision && artifact); }
};

struct CiImageBuildServices {
  sys::FileSystem& files;
  docker::ImageBuilder& builder;
  registry::RegistryReader& reader;
  registry::RegistryWriter& writer;
  /// What the login may do in a repository.
  const std::function<Result<registry::Access>(const oci::Repository&)>& access;
  git::Repository& repository;
  const Progress& progress;
};

struct CiImageBuilt {
  std::string image;              ///< `name@sha256:…` in the registry; empty = nothing was pushed
  std::string local;              ///< its name in the engine; empty = it is not there
  std::vector<std::string> tags;  ///< that name it in the registry now
  std::optional<oci::Digest> digest;
  sys::Path layout;  ///< that was left for an artifact; empty = none
};

/// `image:local`, where every build that is not pushed goes.
std::string local_ci_image(const config::CiImage& settings);

/// Where a build may find layers, best first: the cache that every build writes, the image of the same tag, that of the
/// branch. Nothing on somebody's machine: its builder has a cache of its own, and needs no network.
std::vector<std::string> ci_image_caches(const CiImageBuildInputs& in);

/// The tags as they are written: the one that moves, which is the decision's first, comes last, when what it names has a
/// tag of its own.
std::vector<std::string> tags_in_order(const pipeline::CiImageDecision& decision);

/// What is asked of buildx; all of `ci_image_caches` among it.
/// The Dockerfile is `ci-image.dockerfile`, or the one that is watched.
/// Errors: bad_input for settings without a repository or Dockerfile.
Result<docker::BuildRequest> ci_image_request(const CiImageBuildInputs& in);

/// What is built is what the event is about: a label with another commit would prove something else. The commit is the
/// event's, the head of its pull request, or, where the event names none, a merge of that head.
/// Errors: bad_input
Result<void> require_event_commit(const pipeline::Event& event, git::Repository& repository);

/// Builds, and where the event may publish: the whole image by digest first, then its tags, the moving one last, each
/// read back. Nobody finds an image under a tag that is not complete, or is labelled with another commit. Whether it may
/// push is asked before it builds. A branch's tag that names the image of a later commit stays, as after a re-run of an old build.
///
/// Effects:  process(docker buildx), network(registry), writes the log, and the layout while it works
/// Errors:   bad_input (settings, sources that are refused), unauthenticated, forbidden, engine, no_space, integrity, conflict for a tag that
///           somebody else moves at the same time; those of the registry
Result<CiImageBuilt> build_ci_image(const CiImageBuildInputs& in, const CiImageBuildServices& svc);

}  // namespace crategate::stages
