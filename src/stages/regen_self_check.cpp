#include "stages/regen_self_check.h"

#include "actions/names.h"
#include "base/log.h"
#include "base/strings.h"
#include "git/kept_logins.h"
#include "pipeline/regen_safety.h"
#include "sys/cancel.h"

namespace crategate::stages {
namespace {

using Rights = pipeline::RegenSurroundings::Rights;

/// Any doubt is a yes.
Result<Rights> rights_of_token(const SelfCheckServices& svc) {
  if (!svc.may_push) return Rights::no_token;
  const auto repository = github::RepositoryName::parse(svc.environment.get(actions::kRepository).value_or(""));
  const auto answer = repository ? svc.may_push(*repository) : fail(repository.error());
  if (answer) return *answer ? Rights::may_write : Rights::only_reads;
  CG_CHECK(sys::check_cancelled());
  log::warning(concat("nobody can tell what github-token may do: ", describe(answer.error())));
  return Rights::may_write;
}

/// Since its version 6 actions/checkout writes the login beside the checkout.
Result<std::vector<std::string>> login_files(const SelfCheckServices& svc) {
  std::vector<std::string> found;
  const std::string folder = svc.environment.get(actions::kRunnerTemp).value_or("");
  if (folder.empty()) return found;
  CG_TRY(const auto names, svc.files.list(folder));
  for (const auto& name : names)
    if (name.starts_with("git-credentials-") && name.ends_with(".config"))
      found.push_back(concat("RUNNER_TEMP/", name));
  return found;
}

}  // namespace

Result<void> check_surroundings(const Workspace& workspace, bool has_push_token, const SelfCheckServices& svc) {
  CG_TRY(auto logins, git::kept_logins(svc.processes, svc.environment, workspace.root));
  CG_TRY(const auto files, login_files(svc));
  logins.insert(logins.end(), files.begin(), files.end());
  CG_TRY(const auto rights, rights_of_token(svc));
  return pipeline::require_harmless(
      {.token = rights, .has_push_token = has_push_token, .kept_logins = std::move(logins)});
}

}  // namespace crategate::stages
