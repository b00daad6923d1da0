// A publication: a change set and the admitted images it points at; how it is applied. Shared by push and release.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/configuration.h"
#include "pipeline/tags.h"
#include "registry/client.h"
#include "stages/evidence.h"
#include "stages/workspace.h"

namespace crategate::stages {

struct PublishInputs {
  const config::Configuration& configuration;
  const pipeline::Plan& plan;
  Workspace workspace;
  std::string today;  ///< YYYYMMDD, for dated tags
  std::string run;    ///< of the workflow; empty outside one
};

struct PublishServices {
  sys::FileSystem& files;
  registry::RegistryReader& reader;
  registry::RegistryWriter& writer;
  std::function<void(const pipeline::ChangeSet&)> announce;  ///< before the first write
};

/// A change set and the admitted images it points at.
struct Publication {
  pipeline::ChangeSet changes;
  Evidence evidence;
};

/// Applies `publication` in order; on an error the moves already made are kept in moves.json and named in the error.
Result<void> apply_changes(const PublishInputs& in, const PublishServices& svc, const Publication& publication);

/// `repository:tag`, both checked.
Result<oci::Reference> tag_reference(const std::string& repository, const std::string& tag);

}  // namespace crategate::stages
