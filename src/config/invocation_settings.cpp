// Settings of one invocation: options and inputs that the file does not have.
// Not here: settings of the project (settings_table).
#include "config/invocation_settings.h"

namespace crategate::config {
namespace {

using enum SettingType;

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<Setting> general_settings() {
  return {
      {.name = "event", .type = text, .description = "Event name, as GITHUB_EVENT_NAME.", .file = false},
      {.name = "ref", .type = text, .description = "Full git reference, as GITHUB_REF.", .file = false},
      {.name = "ref-type",
       .type = text,
       .description = "branch or tag, as GITHUB_REF_TYPE.",
       .file = false,
       .choices = "branch|tag"},
      {.name = "payload",
       .type = text,
       .description = "File with the event's JSON, as GITHUB_EVENT_PATH.",
       .file = false},
      {.name = "sha", .type = text, .description = "Commit, as GITHUB_SHA.", .file = false},
      {.name = "base-ref",
       .type = text,
       .description = "Base branch of a pull request, as GITHUB_BASE_REF.",
       .file = false},
      {.name = "rebuild-base",
       .type = boolean,
       .description = "Whether a manual run builds fresh, without the cache and with the newest base images.",
       .file = false},
      {.name = "fresh",
       .type = boolean,
       .description = "Whether the build takes nothing from a cache, in place of what the policy table says.",
       .file = false},
      {.name = "cache-write",
       .type = boolean,
       .description = "Whether the build writes the cache, in place of what the policy table says.",
       .file = false},
      {.name = "publish",
       .type = boolean,
       .fallback = "true",
       .description = "Whether anything is written: tag, cache or candidate.",
       .file = false},
      {.name = "dry-run",
       .type = boolean,
       .fallback = "false",
       .description = "Make nothing; print every command and every write instead.",
       .file = false},
      {.name = "to",
       .type = text,
       .description = "Destination: oci:DIR, or REGISTRY with an optional prefix.",
       .file = false},
      {.name = "cell", .type = text, .description = "Key of the cell that the stage works on.", .file = false},
      {.name = "only",
       .type = list,
       .description = "Cells to take, as axis=value items.",
       .file = false,
       .commas = true},
      {.name = "jobs",
       .type = number,
       .fallback = "0",
       .description = "How many cells run at once; 0 is decided from the cores.",
       .file = false},
      {.name = "plan", .type = text, .description = "The plan: a file, or its JSON text.", .file = false},
      {.name = "state",
       .type = text,
       .fallback = ".crategate",
       .description = "Folder for plan, records, logs and images of local runs.",
       .file = false},
      {.name = "mode", .type = text, .description = "Build mode.", .file = false, .choices = "test|push"},
      {.name = "digest-image",
       .type = text,
       .description = "The image whose digests are printed; `crategate digest --image REF`.",
       .file = false},
      {.name = "registry",
       .type = text,
       .description = "Registry host that username and password are for.",
       .file = false},
      {.name = "username", .type = text, .description = "User name at the registry.", .file = false},
      {.name = "password",
       .type = text,
       .description = "Password or token at the registry.",
       .secret = true,
       .file = false},
      {.name = "insecure-registries",
       .type = list,
       .description = "Registries, host[:port], that may speak plain HTTP; loopback always may.",
       .file = false,
       .commas = true},
      {.name = "timeout", .type = duration, .description = "Time limit of the whole invocation.", .file = false},
      {.name = "github-token", .type = text, .description = "Token for GitHub's API.", .secret = true, .file = false},
  };
}

std::vector<Setting> artifact_settings() {
  return {
      {.name = "artifact-name", .type = text, .description = "Name of the artifact.", .file = false},
      {.name = "artifact-path",
       .type = list,
       .description = "What is uploaded: files, folders, globs, `!` leaves out; or the folder that is downloaded to.",
       .file = false},
      {.name = "artifact-pattern",
       .type = text,
       .description = "Names of the artifacts to download, as a glob.",
       .file = false},
      {.name = "artifact-overwrite",
       .type = boolean,
       .fallback = "false",
       .description = "Whether an artifact of that name, or files that are there, are replaced.",
       .file = false},
      {.name = "artifact-include-hidden-files",
       .type = boolean,
       .fallback = "false",
       .description = "Whether files and folders whose names begin with a dot are uploaded.",
       .file = false},
      {.name = "artifact-if-no-files-found",
       .type = text,
       .fallback = "error",
       .description = "What an upload of nothing is.",
       .file = false,
       .choices = "error|warn|ignore"},
      {.name = "artifact-merge-multiple",
       .type = boolean,
       .fallback = "false",
       .description = "Whether several artifacts go into one folder instead of one each.",
       .file = false},
      {.name = "artifact-repository",
       .type = text,
       .description = "Repository, OWNER/NAME, of another run's artifacts.",
       .file = false},
      {.name = "artifact-run-id",
       .type = text,
       .description = "Another workflow run whose artifacts are meant.",
       .file = false},
  };
}

}  // namespace

std::vector<Setting> invocation_settings() {
  std::vector<Setting> all = general_settings();
  for (auto& setting : artifact_settings()) all.push_back(setting);
  return all;
}

}  // namespace crategate::config
