// digest: tested image → candidate by digest → record.
// Belongs here: binding the three together.  Not here: how they are compared later (pipeline/gate).
#include "stages/digest.h"

#include "base/strings.h"
#include "image/fingerprint.h"
#include "layout/archive.h"
#include "layout/layer_content.h"
#include "stages/saved_image.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

constexpr std::size_t kRoomForSignature = 128;

Result<pipeline::TestResult> tested(const DigestInputs& in, const DigestServices& svc) {
  CG_TRY(auto result, load_test_result(svc.files, in.workspace, in.plan, in.cell.key));
  if (result &&
      (result->verdict == pipeline::TestVerdict::passed || result->verdict == pipeline::TestVerdict::not_configured)) {
    return *std::move(result);
  }
  return fail(ErrorCode::tests_failed,
              concat("cell ", in.cell.key, ": expected tests that passed for this plan, found ",
                     result ? pipeline::to_string(result->verdict) : "none"),
              concat("Run `crategate test --cell ", in.cell.key, "` first."));
}

/// A plan that asks for a scan wants one that let this very image pass (checked with `require_scanned_image`).
Result<std::optional<pipeline::ScanResult>> scanned(const DigestInputs& in, const DigestServices& svc) {
  if (!in.plan.scan) return std::nullopt;
  CG_TRY(auto result, load_scan_result(svc.files, in.workspace, in.plan, in.cell.key));
  const bool passed =
      result && pipeline::judge_scan(result->counts, in.plan.scan->severity) != pipeline::ScanVerdict::failed;
  if (passed) return result;
  return fail(ErrorCode::scan_policy,
              concat("cell ", in.cell.key, ": expected a scan of this plan with nothing at or above ",
                     in.plan.scan->severity, ", found ", result ? counts_text(result->counts) : "none"),
              concat("Run `crategate scan --cell ", in.cell.key, "` first."));
}

/// Without tests the image is the one this plan built.
Result<std::string> image_to_store(const DigestInputs& in, const DigestServices& svc,
                                   const pipeline::TestResult& tests) {
  if (!tests.image_id.empty()) return tests.image_id;
  CG_TRY(const auto built, load_built(svc.files, in.workspace, in.plan, in.cell.key));
  if (built) return built->image_id;
  return fail(ErrorCode::not_found, concat("cell ", in.cell.key, ": expected a built image, found none"),
              concat("Run `crategate build --cell ", in.cell.key, "` first."));
}

Result<void> require_layers(const DigestInputs& in, const std::vector<oci::Digest>& diff_ids) {
  if (!diff_ids.empty()) return {};
  return fail(ErrorCode::gate_refused,
              concat("cell ", in.cell.key, ": empty-evidence: expected an image with layers, found none"),
              "An image without layers cannot be told from a missing one; add a layer to the Dockerfile.");
}

Result<void> require_tested_image(const DigestInputs& in, const pipeline::TestResult& tests,
                                  const layout::ImportedImage& image) {
  CG_CHECK(require_layers(in, image.image.diff_ids));
  if (!tests.config_digest || *tests.config_digest == image.config.digest) return {};
  return fail(ErrorCode::gate_refused,
              concat("cell ", in.cell.key, ": expected the image that ran the tests (config ",
                     tests.config_digest->text(), "), found config ", image.config.digest.text()),
              concat("Run `crategate test --cell ", in.cell.key, "` again."));
}

/// An image of that name that lies in the engine may be of another commit: it can be tried, and is never published.
Result<void> require_built(const DigestInputs& in, const std::optional<Built>& built) {
  if (built || (!in.plan.policy.candidate && !in.plan.policy.push)) return {};
  return fail(
      ErrorCode::not_found,
      concat("cell ", in.cell.key, ": expected an image that was built for this plan, found only one that is called ",
             local_image_name(in.plan, in.cell)),
      concat("Run `crategate build --cell ", in.cell.key, "`, then test and digest."));
}

Result<void> require_scanned_image(const DigestInputs& in, const std::optional<pipeline::ScanResult>& scan,
                                   const layout::ImportedImage& image) {
  if (!scan || scan->config_digest == image.config.digest) return {};
  return fail(ErrorCode::scan_policy,
              concat("cell ", in.cell.key, ": expected a scan of the tested image (config ", image.config.digest.text(),
                     "), found one of config ", scan->config_digest.text()),
              concat("Run `crategate scan --cell ", in.cell.key, "` again, then test and digest."));
}

/// A layer that an earlier cell stored is taken from there. When that fails, it is compressed and uploaded anew.
layout::FindStoredLayer find_stored(const oci::Repository& to, const DigestServices& svc) {
  if (svc.writer == nullptr || svc.stored_layers == nullptr) return {};
  return [&to, &svc](const oci::Digest& diff_id) -> Result<std::optional<oci::Descriptor>> {
    const auto place = svc.stored_layers->find(diff_id);
    if (!place) return std::nullopt;
    const auto arrival = svc.writer->put_blob(to, place->layer, {place->repository, {}});
    CG_CHECK(sys::check_cancelled());
    if (!arrival || *arrival == registry::BlobArrival::not_mounted) return std::nullopt;
    return place->layer;
  };
}

void remember(const layout::ImportedImage& image, const oci::Manifest& manifest, const oci::Repository& repository,
              StoredLayers* stored) {
  if (stored == nullptr) return;
  for (std::size_t i = 0; i < manifest.layers.size() && i < image.image.diff_ids.size(); ++i) {
    stored->add(image.image.diff_ids[i], {repository, manifest.layers[i]});
  }
}

Result<void> store_candidate(const layout::OciLayout& from, const layout::ImportedImage& image,
                             const oci::Reference& target, const DigestServices& svc) {
  CG_TRY(const auto stored, from.find(image.manifest.digest));
  if (!stored) return fail(ErrorCode::internal, "the imported image has no manifest");
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, image.manifest.media_type));
  std::vector<oci::Descriptor> blobs = manifest.layers;
  blobs.push_back(manifest.config);
  for (const auto& blob : blobs) {
    const auto open = [&](std::uint64_t offset) { return from.open_blob(blob, offset); };
    CG_CHECK(svc.writer->put_blob(target.repository, blob, {std::nullopt, open}));
  }
  CG_TRY(const auto served, svc.writer->put_manifest(target, stored->bytes, image.manifest.media_type));
  if (served == image.manifest.digest) {
    remember(image, manifest, target.repository, svc.stored_layers);
    return {};
  }
  return fail(ErrorCode::integrity, concat("candidate ", target.familiar(), ": the registry serves ", served.text()),
              "Run again; if it persists, a proxy in front of the registry serves something else.");
}

/// What a rebuild will be compared with.
Result<void> add_contents(pipeline::Record& record, const layout::OciLayout& from, const layout::ImportedImage& image) {
  CG_TRY(const auto stored, from.find(image.manifest.digest));
  if (!stored) return fail(ErrorCode::internal, "the imported image has no manifest");
  CG_TRY(const auto manifest, oci::parse_manifest(stored->bytes, image.manifest.media_type));
  CG_TRY(record.contents, layout::layer_contents(from, manifest));
  record.config = image.config_bytes;
  return {};
}

/// What nobody could read is not written.
Result<void> require_readable(const pipeline::Record& record) {
  const auto size = pipeline::to_json(record).size() + kRoomForSignature;
  if (size <= pipeline::kRecordLimit) return {};
  return fail(
      ErrorCode::bad_input,
      concat("cell ", record.cell, ": expected a record of at most ", format_bytes(pipeline::kRecordLimit), ", found ",
             format_bytes(size), ", ", format_bytes(record.config.size()), " of it the image's configuration"),
      "Shorten labels, environment and the texts of RUN instructions, or use gate.mode: promote.");
}

pipeline::Record make_record(const DigestInputs& in, const pipeline::TestResult& tests,
                             const layout::ImportedImage& image, std::string finished_at) {
  pipeline::Record record;
  record.plan_id = in.plan.plan_id;
  record.run = in.run;
  record.attempt = in.attempt;
  record.commit = in.plan.commit;
  record.cell = in.cell.key;
  record.platform = image.image.platform;
  record.diff_ids = image.image.diff_ids;
  record.config_digest = image.config.digest;
  record.manifest_digest = image.manifest.digest;
  record.manifest_size = image.manifest.size;
  record.fingerprint = image::fingerprint(image.image, in.configuration.gate.ignore_labels);
  record.layer_text = image::layer_text_digest(image.image.diff_ids);
  record.tests = tests;
  // The engine's ids are digests: the image saved under the id that the container ran is the image that ran the tests.
  if (!tests.image_id.empty()) record.tests.config_digest = image.config.digest;
  record.finished_at = std::move(finished_at);
  return record;
}

}  // namespace

void StoredLayers::add(const oci::Digest& diff_id, Place place) {
  const std::lock_guard lock(mutex_);
  places_.emplace(diff_id, std::move(place));
}

std::optional<StoredLayers::Place> StoredLayers::find(const oci::Digest& diff_id) const {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(diff_id);
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

Result<pipeline::Record> run_digest(const DigestInputs& in, const DigestServices& svc) {
  // Facts
  CG_TRY(const auto tests, tested(in, svc));
  CG_TRY(const auto built, load_built(svc.files, in.workspace, in.plan, in.cell.key));
  CG_CHECK(require_built(in, built));
  CG_TRY(const auto scan, scanned(in, svc));
  CG_TRY(const std::string image_id, image_to_store(in, svc, tests));
  CG_TRY(const oci::Repository repository, oci::parse_repository(in.cell.candidate));
  // The classic store saves no image without layers.
  CG_TRY(const auto described, svc.engine.find_image(image_id));
  if (described) CG_CHECK(require_layers(in, described->diff_ids));
  CG_CHECK(svc.files.make_directories(in.workspace.state()));
  CG_TRY(const auto scratch, sys::TemporaryDirectory::create(in.workspace.state()));
  CG_TRY(auto imported_to, layout::OciLayout::open(scratch.path() / "image"));
  SavedImage saved(svc.engine, image_id);
  auto imported = layout::import_archive(saved.source(), in.cell.platform, imported_to, find_stored(repository, svc));
  if (!imported) return fail(std::move(imported).error().within(concat("image of cell ", in.cell.key)));
  // Decision
  CG_CHECK(require_tested_image(in, tests, *imported));
  CG_CHECK(require_scanned_image(in, scan, *imported));
  auto record = make_record(in, tests, *imported, sys::rfc3339(svc.clock.now()));
  record.scan = scan;
  if (built) record.base = built->base;
  if (in.plan.rebuild) CG_CHECK(add_contents(record, imported_to, *imported));
  CG_CHECK(require_readable(record));
  // Effects
  if (svc.writer != nullptr) {
    const oci::Reference target{repository, std::nullopt, imported->manifest.digest};
    CG_CHECK(store_candidate(imported_to, *imported, target, svc));
    record.candidate = target.familiar();
  }
  if (!in.key.empty()) record.signature = pipeline::signature_of(record, in.key);
  CG_CHECK(write_state(svc.files, in.workspace, digest_file(in.cell.key), concat(record.layer_text, "\n")));
  CG_CHECK(write_state(svc.files, in.workspace, record_file(in.cell.key), pipeline::to_json(record)));
  return record;
}

}  // namespace crategate::stages
