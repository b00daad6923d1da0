// The rules that need no store.
#include "actions/artifact_store.h"

#include <algorithm>

#include "base/strings.h"

namespace crategate::actions {
namespace {

constexpr std::string_view kForbidden = "\":<>|*?\r\n\\/";

Failure refuse_name(std::string_view name, std::string_view why) {
  return fail(ErrorCode::bad_input, concat("the artifact name ", quoted(name), ": ", why),
              R"(use a name without " : < > | * ? \ / and control characters)");
}

}  // namespace

Result<void> check_artifact_name(std::string_view name) {
  if (name.empty()) return refuse_name(name, "expected at least one character");
  if (name.size() > kLongestArtifactName)
    return refuse_name(name, concat("expected at most ", kLongestArtifactName, " bytes, found ", name.size()));
  for (const char& c : name) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == '\x7f';
    if (control || kForbidden.find(c) != std::string_view::npos)
      return refuse_name(name, concat("the service does not allow the character ", quoted(std::string_view(&c, 1))));
  }
  if (!is_valid_utf8(name)) return refuse_name(name, "expected UTF-8");
  return {};
}

Result<void> check_replacing(const Upload& upload, const std::vector<Artifact>& existing, std::string_view own_job) {
  for (const Artifact& artifact : existing) {
    if (upload.overwrite) return {};
    bool replace = false;
    if (upload.may_replace) {
      CG_TRY(replace, upload.may_replace(artifact));
    }
    if (replace) continue;
    const std::string state = artifact.id == 0 ? std::string("unfinished") : concat("with id ", artifact.id);
    const std::string found = artifact.job_backend_id == own_job ? std::string("this job uploaded it before")
                              : artifact.job_backend_id.empty()  ? std::string("another job or attempt has that name")
                                                                 : concat("job ", artifact.job_backend_id, " has it");
    return fail(ErrorCode::artifact_service,
                concat("the artifact ", quoted(upload.name), " exists already, ", state, ": expected job ", own_job,
                       " to be the first with that name, found that ", found),
                "give each job's artifact a name of its own, or ask to overwrite it");
  }
  return {};
}

Result<Downloaded> check_received(const Artifact& artifact, Downloaded received) {
  const bool same_size = artifact.size.value_or(received.size) == received.size;
  received.digest_checked = !artifact.digest.empty();
  if (same_size && (artifact.digest.empty() || to_lower(artifact.digest) == received.digest)) return received;
  return fail(ErrorCode::integrity,
              concat("the artifact ", quoted(artifact.name), " with id ", artifact.id, ": expected ",
                     artifact.size.value_or(received.size), " bytes of ",
                     artifact.digest.empty() ? std::string("any digest") : neutralise(artifact.digest), ", found ",
                     received.size, " bytes of ", received.digest),
              "do not use it; run the job that made it again");
}

void sort_newest_first(std::vector<Artifact>& artifacts) {
  std::stable_sort(artifacts.begin(), artifacts.end(),
                   [](const Artifact& a, const Artifact& b) { return a.id > b.id; });
}

}  // namespace crategate::actions
