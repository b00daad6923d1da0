// digest: the evidence a tested cell leaves behind: the seed's value, the record, and the candidate itself.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "config/configuration.h"
#include "docker/engine.h"
#include "layout/image_store.h"
#include "pipeline/plan.h"
#include "pipeline/record.h"
#include "registry/client.h"
#include "stages/workspace.h"
#include "sys/clock.h"

namespace crategate::stages {

struct DigestInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  const pipeline::Cell& cell;
  Workspace workspace;
  std::string run, attempt;  ///< of the workflow; empty on a developer's machine
  Secret key{};              ///< the record is signed with it; empty = it is not signed
};

/// Where this process has stored layers, by their uncompressed content, so that cells share the work of compressing
/// and uploading them. Safe for parallel cells.
class StoredLayers {
 public:
  struct Place {
    oci::Repository repository;
    oci::Descriptor layer;
  };
  void add(const oci::Digest& diff_id, Place place);
  std::optional<Place> find(const oci::Digest& diff_id) const;

 private:
  mutable std::mutex mutex_;
  std::map<oci::Digest, Place> places_;
};

struct DigestServices {
  sys::FileSystem& files;
  const sys::Clock& clock;
  docker::Engine& engine;
  registry::RegistryWriter* writer;       ///< null when the policy stores no candidate
  StoredLayers* stored_layers = nullptr;  ///< null: nothing is shared
};

/// The image exactly as its tests left it in the engine is copied, never rebuilt.
/// Effects: stores the candidate by digest, untagged, unless the policy says no; writes records/<cell>/record.json and
/// digest-<cell>.txt in the state directory.
/// Errors: tests_failed when its tests have not passed; scan_policy when the plan asks for a scan and none let this very
/// image pass; gate_refused when the image in the engine is not the one that
/// ran the tests, or has no layers; registry errors.
Result<pipeline::Record> run_digest(const DigestInputs& in, const DigestServices& svc);

}  // namespace crategate::stages
