// A plan of four cells, and evidence for its first one that the gate admits.
#pragma once

#include <string>

#include "image/fingerprint.h"
#include "oci/media_types.h"
#include "pipeline/gate.h"
#include "unit/pipeline/sample.h"

namespace crategate::pipeline::sample {

inline Plan plan() { return *compute_plan(facts(), configuration()); }

inline oci::ImageConfig image() {
  oci::ImageConfig image;
  image.diff_ids = {oci::Digest::of("layer one"), oci::Digest::of("layer two")};
  image.config.env = {"PATH=/usr/bin"};
  image.config.labels = {{"org.opencontainers.image.created", "2026-11-20T03:00:00Z"}};
  image.history = {{.created_by = "FROM scratch"}, {.created_by = "RUN make install"}};
  return image;
}

inline ObservedImage observed() {
  const oci::Descriptor layer{
      .media_type = std::string(oci::kOciLayerGzip), .digest = oci::Digest::of("blob"), .size = 9};
  return {.manifest_digest = oci::Digest::of("manifest"),
          .manifest_size = 8,
          .manifest = {.media_type = std::string(oci::kOciManifest),
                       .config = {.media_type = std::string(oci::kOciConfig), .digest = oci::Digest::of("config")},
                       .layers = {layer, layer}},
          .config = image()};
}

inline const std::vector<std::string>& ignored_labels() {
  static const std::vector<std::string> labels = {"org.opencontainers.image.created"};
  return labels;
}

inline Demands demands() { return {.ignore_labels = ignored_labels(), .run = {}, .attempt = {}, .key = {}}; }

inline Record record(const Plan& plan) {
  const Cell& cell = plan.cells.front();
  Record record{.plan_id = plan.plan_id, .run = "1", .attempt = "1", .commit = plan.commit, .cell = cell.key};
  record.diff_ids = image().diff_ids;
  record.config_digest = oci::Digest::of("config");
  record.manifest_digest = oci::Digest::of("manifest");
  record.manifest_size = 8;
  record.candidate = cell.candidate + "@" + record.manifest_digest.text();
  record.fingerprint = image::fingerprint(image(), ignored_labels());
  record.layer_text = image::layer_text_digest(record.diff_ids);
  record.tests = {.verdict = TestVerdict::passed,
                  .total = 24,
                  .duration_ms = 1200,
                  .image_id = "sha256:x",
                  .config_digest = record.config_digest,
                  .plan_id = plan.plan_id,
                  .cell = cell.key,
                  .log = cell.log};
  record.finished_at = "2026-11-20T03:04:05Z";
  return record;
}

}  // namespace crategate::pipeline::sample
