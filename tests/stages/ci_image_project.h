// A repository with a CI image, its pull request 7, and a registry, for the tests of what concerns it.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "layout/image_store.h"
#include "oci/media_types.h"
#include "pipeline/base_watch.h"
#include "stages/layout_registry.h"
#include "stages/project.h"
#include "stages/resolve_image.h"
#include "stages/watched_reader.h"
#include "support/test_image.h"

namespace crategate::stages::sample {

inline const std::string kDockerfile = "ci.Dockerfile", kWorkflow = ".github/workflows/build-ci-image.yml";

class CiImageProject : public ::testing::Test {
 protected:
  CiImageProject() {
    project.configuration.ci_image = config::CiImage{.image = "ghcr.io/o/r/ci",
                                                     .dockerfile = {},
                                                     .default_tag = "stable",
                                                     .workflow = {},
                                                     .watch = {kDockerfile, kWorkflow},
                                                     .branches = {{"main", "latest"}},
                                                     .platforms = {},
                                                     .generate = {}};
    project.write(kDockerfile, "FROM scratch\n");
    project.write(kWorkflow, "on: push\n");
    project.init();
    project.git({"update-ref", "refs/remotes/origin/main", "HEAD"});
    project.git({"checkout", "-q", "-b", "fix"});
  }
  config::CiImage& settings() { return *project.configuration.ci_image; }
  /// A pull request of `fix` with what is in the working tree; returns its head.
  std::string push_change(const std::string& message = "change") { return head = project.commit(message); }
  /// As a runner of `pull_request`: HEAD is the merge commit.
  void check_out_merge() {
    project.git({"checkout", "-q", "--detach", "refs/remotes/origin/main"});
    project.git({"merge", "-q", "--no-ff", "-m", "merge", head});
  }
  void event(const std::string& name = "pull_request", int head_repository = 1) {
    project.invocation.event = name;
    project.invocation.ref = name == "pull_request" ? "refs/pull/7/merge" : "refs/heads/main";
    project.directory.write(
        "event.json",
        concat(R"({"number":7,"pull_request":{"number":7,"head":{"ref":"fix","sha":")", head, R"(","repo":{"id":)",
               head_repository, R"(}},"base":{"ref":"main"}},"repository":{"id":1}})"));
    project.invocation.payload = (project.directory / "event.json").string();
  }
  Result<pipeline::CiImageDecision> decide(const PullRequestApi* api = nullptr) {
    return decide_ci_image(project.plan_inputs(), project.plan_services(), api);
  }
  pipeline::CiEvent row() {
    const auto decision = decide();
    EXPECT_TRUE(decision) << (decision ? "" : describe(decision.error()));
    return decision ? decision->event : pipeline::CiEvent::unknown;
  }
  Result<ResolvedImage> resolve() { return resolve_image(project.plan_inputs(), project.plan_services(), reader); }
  /// An image at the tag, built from that commit.
  oci::Digest publish(const std::string& name, const std::string& revision) {
    test::TestImage image;
    image.layers.clear();
    if (!revision.empty()) image.labels[std::string(pipeline::kRevisionLabel)] = revision;
    const oci::Reference reference{oci::parse_repository("ghcr.io/o/r/ci").value(), name, std::nullopt};
    const oci::Descriptor config{"", image.config_digest(), image.config().size(), {}, std::nullopt};
    EXPECT_TRUE(registry.put_blob(reference.repository, config,
                                  {std::nullopt, [&image](std::uint64_t) -> Result<net::BodySource> {
                                     return net::BodySource([bytes = image.config()]() mutable -> Result<std::string> {
                                       return std::exchange(bytes, std::string());
                                     });
                                   }}));
    return registry.put_manifest(reference, image.manifest(), oci::kOciManifest).value();
  }

  Project project;
  std::string head;
  LayoutRegistry registry{layout::OciLayout::open(project.directory / "registry").value()};
  WatchedReader reader{registry};  ///< that the stages ask
};

}  // namespace crategate::stages::sample
